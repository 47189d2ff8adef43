"""Stable-Baselines3: a callback without an argument, and the saved model on its critic afterwards.

python examples/sb3_callback.py [--steps 6000] [--window] [--save sac.zip]
"""

import argparse

from calf_attach.sb3 import Callback
from stable_baselines3 import SAC

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=6000)
parser.add_argument("--window", action="store_true", help="start a viewer")
parser.add_argument("--save", help="then: calf-viz --env Pendulum-v1 --model sac.zip --n-agents 64")
arguments = parser.parse_args()

model = SAC("MlpPolicy", "Pendulum-v1", seed=0, learning_rate=1e-3, device="cpu")
model.learn(arguments.steps, callback=Callback(name="sac", window=arguments.window))
if arguments.save:
    model.save(arguments.save)
print(f"{model.num_timesteps} steps")
