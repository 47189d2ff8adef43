"""TD3 against hand-computed numbers, and its Adam against torch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from calf_viz.agent.networks import Actor, TwinCritic, flatten
from calf_viz.training.adam import Adam
from calf_viz.training.config import TrainingConfig
from calf_viz.training.replay import Batch
from calf_viz.training.td3 import TD3


def hand_learner(**settings: float) -> TD3:
    """One hidden unit, no angle, limits of 5; every weight chosen so that a pencil can follow.

    Actor: tanh(relu(relu(s0 + s1)) * 0.5) * 5. Critics: relu(s0 + 2 s1 + a) times -1 and -2,
    plus 0.5 and 1.
    """
    rng = np.random.default_rng(0)
    actor = Actor(2, np.array([5.0]), rng, hidden=1)
    critic = TwinCritic(2, 1, rng, hidden=1)
    values = {
        actor: {"w1": [1.0, 1], "w2": [1], "w3": [0.5], "b1": [0], "b2": [0], "b3": [0]},
        critic: {
            "w1": [1.0, 2, 1, 1, 2, 1],
            "w2": [1, 1],
            "w3": [-1, -2],
            "b1": [0, 0],
            "b2": [0, 0],
            "b3": [0.5, 1],
        },
    }
    with torch.no_grad():
        for network, weights in values.items():
            for name, numbers in weights.items():
                p = getattr(network, name)
                p.copy_(torch.tensor(numbers, dtype=torch.float32).view(p.shape))
    return TD3(actor, critic, TrainingConfig(**settings))  # type: ignore[arg-type]


def batch(n: int = 2, terminated: tuple[float, ...] = (0.0, 1.0)) -> Batch:
    return Batch(
        states=torch.tensor([[1.0, 0.5], [0.2, 0.1]])[:n],
        actions=torch.tensor([[1.0], [-0.3]])[:n],
        rewards=torch.tensor([-3.0, -4.0])[:n],
        next_states=torch.tensor([[0.4, 0.2], [0.1, 0.1]])[:n],
        terminated=torch.tensor(terminated)[:n],
    )


def random_batch(rng: np.random.Generator, n: int = 16) -> Batch:
    def draw(*shape: int) -> Tensor:
        return torch.from_numpy(rng.standard_normal(shape).astype(np.float32))

    return Batch(draw(n, 2), draw(n, 1), -draw(n).abs(), draw(n, 2), (draw(n) > 1).float())


# Targets


def test_targets_by_hand() -> None:
    targets = hand_learner().targets(batch(), torch.zeros(2, 1))
    action = 5 * np.tanh(0.5 * 0.6)
    q1, q2 = -(0.8 + action) + 0.5, -2 * (0.8 + action) + 1
    # The lesser of the twins, discounted; where the goal was reached, the reward alone.
    np.testing.assert_allclose(targets, [-3 + 0.99 * min(q1, q2), -4.0], rtol=1e-6)


def test_the_lesser_twin_is_taken_row_by_row() -> None:
    learner = hand_learner()
    with torch.no_grad():
        learner.target_critic.b3.copy_(torch.tensor([0.5, 2.0]).view(2, 1, 1))
    rows = batch(terminated=(0.0, 0.0))
    targets = learner.targets(rows, torch.zeros(2, 1))
    expected = []
    for reward, (x, v) in zip(rows.rewards, rows.next_states.tolist(), strict=True):
        reach = x + 2 * v + 5 * np.tanh(0.5 * (x + v))
        expected.append(float(reward) + 0.99 * min(-reach + 0.5, -2 * reach + 2))
    np.testing.assert_allclose(targets, expected, rtol=1e-6)
    # With these numbers a different twin is the lesser in each row.
    reaches = [0.8 + 5 * np.tanh(0.3), 0.3 + 5 * np.tanh(0.1)]
    assert [-r + 0.5 < -2 * r + 2 for r in reaches] == [False, True]


@pytest.mark.parametrize(
    ("noise", "smoothing"),
    [(1.0, 0.2), (-2.0, -0.4), (2.5, 0.5), (100.0, 0.5), (-100.0, -0.5)],
)
def test_smoothing_noise_is_scaled_and_clipped_as_a_fraction_of_the_limits(
    noise: float, smoothing: float
) -> None:
    rows = batch(1)
    target = hand_learner().targets(rows, torch.full((1, 1), noise))
    action = 5 * np.tanh(0.3) + smoothing * 5
    reach = max(0.8 + action, 0.0)
    expected = -3 + 0.99 * min(-reach + 0.5, -2 * reach + 1)
    np.testing.assert_allclose(target, [expected], rtol=1e-5)


def test_the_smoothed_action_is_clipped_to_the_limits() -> None:
    learner = hand_learner()
    with torch.no_grad():
        learner.target_actor.w3.fill_(100.0)  # tanh saturates: the action is 5 before the noise
    target = learner.targets(batch(1), torch.full((1, 1), 9.0))
    np.testing.assert_allclose(target, [-3 + 0.99 * (-2 * 5.8 + 1)], rtol=1e-6)


def test_targets_come_from_the_target_networks() -> None:
    learner = hand_learner()
    before = learner.targets(batch(), torch.zeros(2, 1))
    with torch.no_grad():
        learner.actor.w3.fill_(7.0)
        learner.critic.w3.fill_(7.0)
    assert torch.equal(learner.targets(batch(), torch.zeros(2, 1)), before)
    with torch.no_grad():
        learner.target_critic.b3.fill_(7.0)
    assert not torch.equal(learner.targets(batch(), torch.zeros(2, 1)), before)


# Losses


def test_critic_loss_by_hand() -> None:
    loss = hand_learner().critic_loss(batch(), torch.tensor([-5.0, 1.0]))
    reach = np.array([1.0 + 2 * 0.5 + 1.0, 0.2 + 2 * 0.1 - 0.3])
    errors = [-reach + 0.5 - [-5, 1], -2 * reach + 1 - [-5, 1]]
    np.testing.assert_allclose(loss.item(), sum((e**2).mean() for e in errors), rtol=1e-6)


def test_actor_loss_by_hand_and_its_gradient_stays_off_the_critic() -> None:
    learner = hand_learner()
    loss = learner.actor_loss(batch())
    sums = np.array([1.5, 0.3])
    reach = np.array([2.0, 0.4]) + 5 * np.tanh(0.5 * sums)
    np.testing.assert_allclose(loss.item(), -np.mean(-reach + 0.5), rtol=1e-6)
    loss.backward()
    # d loss / d w3 of the actor: mean over rows of 5 (1 - tanh^2) h, with dQ/da = -1.
    slope = np.mean(5 * (1 - np.tanh(0.5 * sums) ** 2) * sums)
    np.testing.assert_allclose(learner.actor.w3.grad.item(), slope, rtol=1e-5)
    assert not learner.flats["critic"].grad.any()


# Updates


def moved(learner: TD3, before: dict[str, Tensor]) -> set[str]:
    """Names of the networks whose weights are no longer those of `before`."""
    return {name for name, flat in learner.flats.items() if not torch.equal(flat, before[name])}


def weights(learner: TD3) -> dict[str, Tensor]:
    return {name: flat.detach().clone() for name, flat in learner.flats.items()}


def random_learner(**settings: float) -> TD3:
    rng = np.random.default_rng(1)
    actor, critic = Actor(2, np.array([5.0]), rng), TwinCritic(2, 1, rng)
    return TD3(actor, critic, TrainingConfig(**settings))  # type: ignore[arg-type]


def test_actor_and_targets_are_updated_every_second_time() -> None:
    learner, rng = random_learner(), np.random.default_rng(2)
    for update in range(1, 7):
        before = weights(learner)
        learner.update(random_batch(rng), rng)
        everything = {"actor", "critic", "target_actor", "target_critic"}
        assert moved(learner, before) == (everything if update % 2 == 0 else {"critic"})
    assert learner.updates == 6


def test_targets_follow_by_polyak_averaging() -> None:
    learner, rng = random_learner(policy_delay=1), np.random.default_rng(3)
    old = weights(learner)
    for _ in range(2):
        learner.update(random_batch(rng), rng)
        new = weights(learner)
        for name in ("actor", "critic"):
            expected = 0.995 * old[f"target_{name}"] + 0.005 * new[name]
            torch.testing.assert_close(new[f"target_{name}"], expected, rtol=1e-6, atol=1e-7)
        old = new


def test_targets_begin_as_copies_of_their_own() -> None:
    learner = random_learner()
    for name in ("actor", "critic"):
        flat, target = learner.flats[name], learner.flats[f"target_{name}"]
        assert torch.equal(flat, target)
        assert flat.data_ptr() != target.data_ptr()


def test_an_update_is_the_one_that_torch_alone_would_make() -> None:
    """Ten updates beside plain torch: its Adam, its layers' gradients, its own bookkeeping."""
    mine, rng = random_learner(policy_delay=2), np.random.default_rng(4)
    other = random_learner()
    actor = torch.optim.Adam(other.actor.parameters(), lr=3e-4)
    critic = torch.optim.Adam(other.critic.parameters(), lr=3e-4)
    for update in range(1, 11):
        rows = random_batch(rng)
        seed = np.random.default_rng([5, update])
        mine.update(rows, np.random.default_rng([5, update]))

        noise = torch.from_numpy(seed.standard_normal((16, 1), dtype=np.float32))
        with torch.no_grad():
            a = other.target_actor(rows.next_states)
            a = (a + (noise * 0.2).clamp(-0.5, 0.5) * 5).clamp(-5, 5)
            q = torch.minimum(*other.target_critic(rows.next_states, a))
            y = rows.rewards + 0.99 * (1 - rows.terminated) * q
        q1, q2 = other.critic(rows.states, rows.actions)
        critic.zero_grad(set_to_none=False)
        ((q1 - y) ** 2).mean().add(((q2 - y) ** 2).mean()).backward()
        critic.step()
        if update % 2 == 0:
            actor.zero_grad(set_to_none=False)
            (-other.critic(rows.states, other.actor(rows.states))[0].mean()).backward()
            actor.step()
            with torch.no_grad():
                for name in ("actor", "critic"):
                    target = getattr(other, f"target_{name}").parameters()
                    for t, p in zip(target, getattr(other, name).parameters(), strict=True):
                        t.mul_(0.995).add_(0.005 * p)
    for name in mine.flats:
        torch.testing.assert_close(mine.flats[name], other.flats[name], rtol=0, atol=2e-6)


def test_learning_fits_a_constant() -> None:
    """Where every transition terminates with reward -1, Q goes to -1."""
    learner, rng = random_learner(lr=3e-3), np.random.default_rng(6)
    for _ in range(300):
        rows = random_batch(rng, 32)
        rows = rows._replace(rewards=torch.full((32,), -1.0), terminated=torch.ones(32))
        learner.update(rows, rng)
    rows = random_batch(rng, 64)
    q = learner.critic(rows.states, rows.actions).detach()
    assert (q + 1).abs().mean() < 0.1


# Flat vectors and Adam


def test_flattening_makes_views_and_keeps_the_values() -> None:
    network = Actor(3, np.array([1.0, 2.0]), np.random.default_rng(7))
    old = [p.detach().clone() for p in network.parameters()]
    flat = flatten(network)
    assert flat.numel() == sum(p.numel() for p in old)
    for p, was in zip(network.parameters(), old, strict=True):
        assert torch.equal(p, was)
    network(torch.ones(4, 3)).sum().backward()
    gradients = torch.cat([p.grad.reshape(-1) for p in network.parameters()])
    assert torch.equal(flat.grad, gradients) and flat.grad.any()
    flat.data.fill_(3.0)
    assert all((p == 3.0).all() for p in network.parameters())


def test_adam_is_torchs_adam() -> None:
    rng = np.random.default_rng(8)
    start = torch.from_numpy(rng.standard_normal(50).astype(np.float32))
    mine, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    adam, reference = Adam(mine, lr=3e-3), torch.optim.Adam([theirs], lr=3e-3)
    for step in range(300):
        # Of very different sizes, zero among them, so that eps and both moments matter.
        grad = rng.standard_normal(50) * 10.0 ** rng.integers(-9, 3, 50) * (step % 7 != 0)
        mine.grad = torch.from_numpy(grad.astype(np.float32))
        theirs.grad = mine.grad.clone()
        adam.step()
        reference.step()
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)
    state = reference.state[theirs]
    torch.testing.assert_close(adam.mean, state["exp_avg"], rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(adam.square, state["exp_avg_sq"], rtol=1e-5, atol=1e-7)


def test_adams_state_can_be_taken_up_again() -> None:
    rng = np.random.default_rng(9)
    one, two = (nn.Parameter(torch.ones(5)) for _ in range(2))
    first, second = Adam(one, lr=0.1), Adam(two, lr=0.1)
    gradients = [torch.from_numpy(rng.standard_normal(5).astype(np.float32)) for _ in range(6)]
    for g in gradients[:3]:
        one.grad = g
        first.step()
    two.data.copy_(one.data)
    second.load_state(first.state())
    for g in gradients[3:]:
        one.grad = two.grad = g
        first.step()
        second.step()
    assert torch.equal(one, two)
