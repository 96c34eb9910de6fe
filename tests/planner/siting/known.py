"""The instances whose optima others have proved, read from the files beside the project."""

import json

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from planner.siting.instance import Instance, Pairs


def answers(shared):
    return json.loads(shared("siting", "known_answers.json").read_text(encoding="utf-8"))


def proved(found, objective):
    """The known optimum is reached, and proved."""
    assert found.status == "optimal"
    assert found.objective == objective
    assert found.bound == objective
    assert found.gap == 0


def numbers(path):
    return [
        list(map(float, line.split())) for line in path.read_text().splitlines() if line.strip()
    ]


def set_cover(shared, name):
    """Rows and columns, the columns' costs, and a row's number of columns and which."""
    told = iter(map(int, shared("siting", "setcover", f"{name}.txt").read_text().split()))
    rows, columns = next(told), next(told)
    cost = [next(told) for _ in range(columns)]
    row, site = [], []
    for at in range(rows):
        for _ in range(next(told)):
            row.append(at)
            site.append(next(told) - 1)
    pairs = Pairs.of(row, site, np.zeros(len(row)), demands=rows, number_of_sites=columns)
    return Instance.of(pairs, cost=cost)


def graph(shared, name):
    """Shortest ways between all junctions of a graph, and how many sites may be opened.

    Of two lines about one edge the last holds.
    """
    head, *lines = numbers(shared("siting", "pmed", f"{name}.txt"))
    edges = {(min(u, v) - 1, max(u, v) - 1): length for u, v, length in lines}
    ends = np.array(list(edges), dtype=int)
    shape = (int(head[0]), int(head[0]))
    links = csr_array((np.array(list(edges.values())), (ends[:, 0], ends[:, 1])), shape=shape)
    return Instance.of(Pairs.from_dense(dijkstra(links, directed=False))), int(head[2])


def capacitated(shared, name):
    """Places with demands, distances rounded down: the instance, number of sites and loads."""
    lines = numbers(shared("siting", "pmedcap", f"{name}.txt"))
    while len(lines[0]) != 3:
        lines = lines[1:]
    (size, number, capacity), *places = lines
    places = np.array(places)
    assert len(places) == size
    pairs = Pairs.from_dense(np.floor(apart(places[:, 1:3])))
    return Instance.of(pairs, capacity=np.full(len(places), capacity)), int(number), places[:, 3]


def apart(place):
    """Distance of each place from each, as the crow flies."""
    return np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))


def sao_jose(shared, name):
    """Distances in São José dos Campos, and the people of each place."""
    table = np.loadtxt(shared("siting", "sjc", f"{name}.txt"), skiprows=1, usecols=(0, 1, 2))
    return Pairs.from_dense(apart(table[:, :2])), table[:, 2]


def san_francisco(shared):
    """Distances from 205 tracts to 16 stores along the streets, and the tracts' people."""
    table = pd.read_csv(
        shared("siting", "sf", "SF_network_distance_candidateStore_16_censusTract_205_new.csv"),
        dtype={"DestinationName": str},
    )
    matrix = table.pivot_table(index="DestinationName", columns="name", values="distance")
    people = table.groupby("DestinationName")["demand"].first()
    return Pairs.from_dense(matrix.to_numpy()), people.loc[matrix.index].to_numpy(dtype=float)
