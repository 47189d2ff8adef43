"""TD3 in one file, in CleanRL's shape; the lines with `viz` show it.

python examples/cleanrl/td3.py [--steps 8000] [--window] [--no-watch]
"""

import copy

import numpy as np
import torch
from calf_attach import attach
from common import PENDULUM, Replay, arguments, digest, follow, make_envs, mlp, seeded, true_next

args = arguments(8000)
seeded(args)
envs = make_envs("Pendulum-v1", 4, args.seed)
high = float(envs.single_action_space.high[0])
net, qf1, qf2 = mlp(3, 1, args.hidden), mlp(4, 1, args.hidden), mlp(4, 1, args.hidden)
targets = copy.deepcopy((net, qf1, qf2))
q_optimizer = torch.optim.Adam([*qf1.parameters(), *qf2.parameters()], lr=1e-3)
actor_optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
replay = Replay(100_000, 3, 1)


def actor(obs, network=net):
    return high * torch.tanh(network(obs))


def min_q(obs):
    obs = torch.as_tensor(obs, dtype=torch.float32)
    pair = torch.cat([obs, actor(obs)], 1)
    return torch.minimum(qf1(pair), qf2(pair))


if args.watch:
    viz = attach(name="td3", critic=min_q, value="Q(s, π(s))", space=envs.single_observation_space,
                 window=args.window, **PENDULUM)  # fmt: skip
obs, _ = envs.reset(seed=args.seed)
if args.watch:
    viz.reset(obs)
total, returns = np.zeros(4), []
for step in range(0, args.steps, 4):
    if step < args.starts:
        actions = envs.action_space.sample()
    else:
        with torch.no_grad():
            actions = actor(torch.from_numpy(obs)).numpy()
        actions = (actions + np.random.normal(0, 0.1 * high, actions.shape)).clip(-high, high)
        actions = actions.astype(np.float32)
    next_obs, rewards, terminations, truncations, infos = envs.step(actions)
    if args.watch:
        viz.step(next_obs, rewards, terminations, truncations, infos)
    total += rewards
    returns += total[terminations | truncations].tolist()
    total[terminations | truncations] = 0
    replay.add(
        obs, true_next(next_obs, infos, truncations, terminations), actions, rewards, terminations
    )
    obs = next_obs
    if step < args.starts:
        continue
    for update in range(2):
        s, s2, a, r, ended = replay.sample(args.batch)
        with torch.no_grad():
            noise = (0.2 * high * torch.randn_like(a)).clamp(-0.5 * high, 0.5 * high)
            a2 = (actor(s2, targets[0]) + noise).clamp(-high, high)
            pair2 = torch.cat([s2, a2], 1)
            y = r + 0.99 * (1 - ended) * torch.minimum(targets[1](pair2), targets[2](pair2))
        pair = torch.cat([s, a], 1)
        loss = ((qf1(pair) - y) ** 2).mean() + ((qf2(pair) - y) ** 2).mean()
        q_optimizer.zero_grad()
        loss.backward()
        q_optimizer.step()
        if update % 2 == 0:
            actor_loss = -qf1(torch.cat([s, actor(s)], 1)).mean()
            actor_optimizer.zero_grad()
            actor_loss.backward()
            actor_optimizer.step()
            follow(targets, (net, qf1, qf2))
if args.watch:
    viz.refresh()  # the critic as it is at the end, whatever the budget
    viz.close()
print(f"last returns {np.mean(returns[-8:]) if returns else np.nan:.1f}, {digest(net, qf1, qf2)}")
