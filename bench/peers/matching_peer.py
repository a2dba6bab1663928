"""The PyPI package `matching` on the instances of domain/benches/ranking.rs, without reserves.

    pip install matching && python bench/peers/matching_peer.py [APPLICATIONS SCHOOLS]

It knows no reserved places, so that these are left out; every application ranks its five schools
and every school all who apply, by score, ISEE, age and number.
"""

import sys
import time

from matching.games import HospitalResident


def instance(applications, schools):
    state = [42]

    def roll(sides):
        state[0] = (state[0] * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state[0] >> 33) % sides

    wants, rows = {}, {s: [] for s in range(schools)}
    for n in range(applications):
        isee, older = roll(50_000), roll(700)
        chosen = []
        while len(chosen) < min(5, schools):
            school = roll(schools)
            if school not in chosen:
                rows[school].append((-roll(40), isee, older, n))
                chosen.append(school)
        roll(20)
        wants[f"a{n}"] = [f"s{s}" for s in chosen]
    order = {f"s{s}": [f"a{r[3]}" for r in sorted(all_)] for s, all_ in rows.items() if all_}
    places = max(1, applications * 9 // 10 // schools)
    return wants, order, {school: places for school in order}


def main():
    sizes = [(1_000, 10), (2_000, 20), (5_000, 25)]
    if len(sys.argv) == 3:
        sizes = [(int(sys.argv[1]), int(sys.argv[2]))]
    for applications, schools in sizes:
        wants, order, places = instance(applications, schools)
        begun = time.perf_counter()
        game = HospitalResident.create_from_dictionaries(wants, order, places)
        made = time.perf_counter()
        solved = game.solve(optimal="resident")
        done = time.perf_counter()
        placed = sum(len(residents) for residents in solved.values())
        print(
            f"{applications} applications, {schools} schools: made {made - begun:.2f} s, "
            f"solved {done - made:.2f} s, {placed} placed",
            flush=True,
        )


if __name__ == "__main__":
    main()
