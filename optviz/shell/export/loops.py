"""What scripts of trainings do with the definitions that are copied into them, as source text.

RATED stands for the optimizer with its rates, LOSS for the loss, ASSESSED for the rows at most on
which an accuracy is measured.
"""

CALL = "train(names, network, initializers, segments, penalty, data, batch, iterations, seeds)"
UPDATE = '''\
def update(i, carry, network, opt, schedules, penalty, data, batch, seeds):
    """Iteration i of networks side by side: parameters, states and statistics, and the loss."""
    (params, state, running_statistics), (x, t, *_) = carry, data
    rows = [stream(seed, BATCHES, i).integers(0, len(x), batch) for seed in seeds]
    rows = rows if batch else [np.arange(len(x))] * len(seeds)  # 0: all of them
    x, y = x[rows].astype(params.dtype), one_hot(t[rows], network.sizes[-1], params.dtype)
    f = MiniBatch(network, x, y, Mode(True, seeds, i), penalty, LOSS)
    scaled = RATED
    for name, factor in schedules.items():
        scaled = scaled.scaled(name, float(factor(i)))
    after, state = (narrow(part, params.dtype) for part in scaled.step(f, params, state))
    loss = f.cross_entropy(params)
    running_statistics = network.updated_statistics(running_statistics, f.statistics)
    after[~np.isfinite(loss) | ~np.isfinite(after).all(-1)] = np.nan
    return (after, state, running_statistics), np.where(np.isfinite(loss), loss, np.nan)


def evaluate(carry, network, opt, data):
    """The statistics that networks are judged with, and accuracies on rows for training and others.
    """
    (params, _, running_statistics), (x, t, x_test, t_test) = carry, data
    if opt.averages and running_statistics.shape[-1]:  # averaged weights need some of their own
        forward = network.forward(params, x[:ASSESSED].astype(params.dtype))
        running_statistics = network.statistics(forward)
    shape = (*params.shape[:2], running_statistics.shape[-1])
    running_statistics = np.broadcast_to(running_statistics, shape)
    return running_statistics, *(
        network.accuracy(params, x.astype(params.dtype), t, running_statistics=running_statistics)
        for x, t in ((x[:ASSESSED], t[:ASSESSED]), (x_test[:ASSESSED], t_test[:ASSESSED]))
    )
'''
TRAIN = '''\
def train(names, network, initializers, segments, penalty, data, batch, iterations, seeds):
    """Train networks side by side, for each name one with each seed, and print how they end.

    A segment is an optimizer with the iteration at which it begins, the schedules of its
    hyperparameters, and whether it goes on with the state of the one before.
    """
    params = np.stack([[network.init(seed, rule) for seed in seeds] for rule in initializers])
    carry = params, None, network.running_statistics()
    losses = np.full((iterations, *params.shape[:2]), np.nan)
    for i in range(iterations):
        if segments and segments[0][0] == i:
            (_, opt, schedules, warm), *segments = segments
            if not warm:
                carry = carry[0], narrow(opt.init(carry[0]), params.dtype), carry[2]
        carry, losses[i] = update(i, carry, network, opt, schedules, penalty, data, batch, seeds)
    _, trained, tested = evaluate(carry, network, opt, data)
    for k, s in np.ndindex(trained.shape):
        print(f"{names[k]}, seed {seeds[s]}: loss of the last ten batches", end=" ")
        print(f"{losses[-10:, k, s].mean()}, accuracy on the training set {trained[k, s]}", end=" ")
        print(f"and on others {tested[k, s]}")
'''
SEARCH = '''\
def settings(values, axes, network, opt, penalty):
    """Optimizer, penalty and initializers of trials with these hyperparameters `(trials, axes)`."""
    by_axis, rules = dict(zip(axes, values.T, strict=True)), [network.initializer] * len(values)
    if "momentum" in by_axis:
        by_axis["momentum"] = 1 - by_axis["momentum"]
    if "l2" in by_axis:
        penalty = Penalty(by_axis.pop("l2")[:, None], penalty.l1)
    if "sigma" in by_axis:
        rules = [Choice("normal", {"sigma": sigma}) for sigma in by_axis.pop("sigma").tolist()]
    for name, column in by_axis.items():
        column = column.astype(DTYPES[network.dtype])[:, None, None]
        opt = with_hyperparameter(opt, name, column)
    return opt, penalty, rules


def search(axes, trials, sampler, halving, stops, network, optimizer, penalty, data, batch, seed):
    """Propose trials and train those of a round side by side; print each, and then the best.

    `axes` are hyperparameters and the powers of ten between which they are searched, `optimizer` is
    one with the schedules of its hyperparameters.
    """
    (opt, schedules), (low, high) = optimizer, np.array(list(axes.values())).T
    points, scores, ends = np.empty((0, len(axes))), np.empty(0), np.empty(0, int)
    losses = [np.empty(0) for _ in stops]  # of all trials that were there
    for k, n in enumerate(sampler.rounds(trials, len(axes))):
        new = sampler.propose(points, scores, n, stream(seed, PROPOSALS, k))
        values, active, done = 10.0 ** (low + new * (high - low)), np.arange(n), 0
        scored, reached, carry = np.full((n, 2), np.nan), np.zeros(n, int), None
        for rung, stop in enumerate(stops):
            each, cost, rules = settings(values[active], axes, network, opt, penalty)
            if carry is None:
                params = np.stack([[network.init(seed, rule)] for rule in rules])
                state = narrow(each.init(params), params.dtype)
                carry = params, state, network.running_statistics()
            for i in range(done, stop):
                carry, _ = update(i, carry, network, each, schedules, cost, data, batch, (seed,))
            statistics, *accuracies = evaluate(carry, network, each, data)
            scored[active], reached[active], done = np.concatenate(accuracies, 1), stop, stop
            if stop == stops[-1]:
                break
            x, t = data.x_test.astype(params.dtype), data.t_test
            z = network.outputs(carry[0][:, 0], x, running_statistics=statistics[:, 0])
            loss, _ = softmax_cross_entropy(z, one_hot(t, z.shape[-1], z.dtype))
            loss = np.where(np.isfinite(loss), loss, np.nan)
            alive = np.flatnonzero(halving.survivors(loss, losses[rung]))
            losses[rung] = np.append(losses[rung], loss)
            state = pick_trials(carry[1], alive, len(active))
            carry, active = (carry[0][alive], state, statistics[alive]), active[alive]
        for i, (row, t, (trained, tested)) in enumerate(zip(values, reached, scored), len(ends)):
            names = ("1 - momentum" if axis == "momentum" else axis for axis in axes)
            text = ", ".join(f"{name} {value}" for name, value in zip(names, row.tolist()))
            print(f"trial {i + 1}: {text}; after {t} iterations accuracy on the", end=" ")
            print(f"training set {trained}, on the validation set {tested}")
        points, ends = np.concatenate([points, new]), np.append(ends, reached)
        scores = np.append(scores, np.nan_to_num(scored[:, 1]))
    best = np.lexsort((np.arange(len(ends)), -(2.0 * ends + scores)))[0]
    print(f"best: trial {best + 1}, validation accuracy {scores[best]}")
'''
