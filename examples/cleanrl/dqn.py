"""DQN in one file, in CleanRL's shape; the lines with `viz` show it.

python examples/cleanrl/dqn.py [--steps 20000] [--window] [--no-watch]
"""

import copy

import numpy as np
import torch
from calf_attach import attach
from common import CARTPOLE, Replay, arguments, digest, follow, make_envs, mlp, seeded, true_next

args = arguments(20_000)
seeded(args)
N = 4
envs = make_envs("CartPole-v1", N, args.seed)
q = mlp(4, 2, args.hidden)
target = copy.deepcopy(q)
optimizer = torch.optim.Adam(q.parameters(), lr=1e-3)
replay = Replay(50_000, 4, 1)


def max_q(obs):
    return q(torch.as_tensor(obs, dtype=torch.float32)).max(dim=1).values


if args.watch:
    viz = attach(name="dqn", critic=max_q, value="max Q(s, a)", modes=("left", "right"),
                 window=args.window, **CARTPOLE)  # fmt: skip
obs, _ = envs.reset(seed=args.seed)
if args.watch:
    viz.reset(obs)
length, lengths = np.zeros(N), []
for step in range(0, args.steps, N):
    epsilon = max(0.05, 1 - 2 * step / args.steps)
    with torch.no_grad():
        actions = q(torch.from_numpy(obs)).argmax(dim=1).numpy()
    random = np.random.random(N) < epsilon
    actions[random] = np.random.randint(0, 2, random.sum())
    next_obs, rewards, terminations, truncations, infos = envs.step(actions)
    if args.watch:
        viz.step(next_obs, rewards, terminations, truncations, infos, actions=actions)
    over = terminations | truncations
    length += 1
    lengths += length[over].tolist()
    length[over] = 0
    replay.add(
        obs, true_next(next_obs, infos, truncations, terminations), actions, rewards, terminations
    )
    obs = next_obs
    if step < args.starts:
        continue
    s, s2, a, r, ended = replay.sample(args.batch)
    with torch.no_grad():
        best = q(s2).argmax(dim=1, keepdim=True)
        y = r + 0.99 * (1 - ended) * target(s2).gather(1, best)
    loss = torch.nn.functional.smooth_l1_loss(q(s).gather(1, a.long()), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    follow([target], [q], 0.01)
if args.watch:
    viz.refresh()  # the critic as it is at the end, whatever the budget
    viz.close()
print(f"last lengths {np.mean(lengths[-16:]) if lengths else np.nan:.0f}, {digest(q, target)}")
