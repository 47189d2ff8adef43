"""PPO in one file, in CleanRL's shape; the lines with `viz` show it.

python examples/cleanrl/ppo.py [--steps 40000] [--window] [--no-watch]
"""

import numpy as np
import torch
from calf_attach import attach
from common import CARTPOLE, arguments, digest, make_envs, mlp, seeded
from torch.distributions import Categorical

args = arguments(40_000)
seeded(args)
N, LENGTH, GAMMA, LAMBDA = 8, 128, 0.99, 0.95
envs = make_envs("CartPole-v1", N, args.seed)
policy, value = mlp(4, 2, args.hidden), mlp(4, 1, args.hidden)
optimizer = torch.optim.Adam([*policy.parameters(), *value.parameters()], lr=1e-3)


def get_value(obs):
    return value(torch.as_tensor(obs, dtype=torch.float32))


if args.watch:
    viz = attach(name="ppo", critic=get_value, value="V(s)", modes=("left", "right"),
                 window=args.window, **CARTPOLE)  # fmt: skip
obs, _ = envs.reset(seed=args.seed)
if args.watch:
    viz.reset(obs)
length, lengths = np.zeros(N), []
for _ in range(max(args.steps // (N * LENGTH), 1)):
    seen, acted, log_probs, values, paid, ends = [], [], [], [], [], []
    for _ in range(LENGTH):
        given = torch.from_numpy(obs)
        with torch.no_grad():
            chosen = Categorical(logits=policy(given))
            actions = chosen.sample()
            values.append(get_value(obs)[:, 0])
        seen.append(given)
        acted.append(actions)
        log_probs.append(chosen.log_prob(actions))
        obs, rewards, terminations, truncations, infos = envs.step(actions.numpy())
        if args.watch:
            viz.step(obs, rewards, terminations, truncations, infos, actions=actions)
        over = terminations | truncations
        paid.append(torch.from_numpy(rewards).float())
        ends.append(torch.from_numpy(over).float())
        length += 1
        lengths += length[over].tolist()
        length[over] = 0
    with torch.no_grad():
        after, advantage, advantages = get_value(obs)[:, 0], torch.zeros(N), []
        for t in reversed(range(LENGTH)):
            error = paid[t] + GAMMA * (1 - ends[t]) * after - values[t]
            advantage = error + GAMMA * LAMBDA * (1 - ends[t]) * advantage
            advantages.insert(0, advantage)
            after = values[t]
    flat = [torch.cat(each) for each in (seen, acted, log_probs, advantages, values)]
    for _ in range(4):
        for where in torch.randperm(N * LENGTH).split(256):
            s, a, old, better, known = (each[where] for each in flat)
            chosen = Categorical(logits=policy(s))
            ratio = (chosen.log_prob(a) - old).exp()
            scaled = (better - better.mean()) / (better.std() + 1e-8)
            gain = torch.minimum(ratio * scaled, ratio.clamp(0.8, 1.2) * scaled).mean()
            miss = ((value(s)[:, 0] - (better + known)) ** 2).mean()
            loss = -gain + 0.5 * miss - 0.01 * chosen.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*policy.parameters(), *value.parameters()], 0.5)
            optimizer.step()
if args.watch:
    viz.refresh()  # the critic as it is at the end, whatever the budget
    viz.close()
print(f"last lengths {np.mean(lengths[-16:]) if lengths else np.nan:.0f}, {digest(policy, value)}")
