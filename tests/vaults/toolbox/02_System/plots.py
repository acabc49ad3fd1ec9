def plot_property(prop, folder="", out="chart.png"):
    import matplotlib.pyplot as plt
    xs, ys = [], []
    plt.plot(xs, ys)
    plt.savefig(out)
    return out
