"""However a model cites, its sentences and their numbers are found."""

import pytest

from rag.markers import drafts

Told = list[tuple[str, tuple[int, ...]]]


def told(written: str, *, ended: bool = True) -> Told:
    return [(one.text, one.numbers) for part in drafts(written, ended=ended) for one in part]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("It opened. [1] It cost more. [2]", [("It opened.", (1,)), ("It cost more.", (2,))]),
        ("It opened [1]. It cost more [2].", [("It opened.", (1,)), ("It cost more.", (2,))]),
        ("It opened[1][3].", [("It opened.", (1, 3))]),
        ("It opened [1,3].", [("It opened.", (1, 3))]),
        ("It opened [1; 3 and 4].", [("It opened.", (1, 3, 4))]),
        ("It opened [2-4].", [("It opened.", (2, 3, 4))]),
        ("It opened [2–4].", [("It opened.", (2, 3, 4))]),
        ("It opened【1】. It cost more【2†source】.",
         [("It opened.", (1,)), ("It cost more.", (2,))]),
        ("It opened (1). It cost more (passages 2, 3).",
         [("It opened.", (1,)), ("It cost more.", (2, 3))]),
        ("It opened [^1]. It cost more [^2].", [("It opened.", (1,)), ("It cost more.", (2,))]),
        ("It opened.¹ It cost more.²,³", [("It opened.", (1,)), ("It cost more.", (2, 3))]),
        ("[1] It opened. [2] It cost more.", [("It opened.", (1,)), ("It cost more.", (2,))]),
        ("It opened [Passage 1].", [("It opened.", (1,))]),
        ("It opened (2019) in the rain.", [("It opened (2019) in the rain.", ())]),
        ("It opened [2019].", [("It opened [2019].", ())]),
        ("It opened in [9-2] rain.", [("It opened in [9-2] rain.", ())]),
        ("The first `list[1]` is free [2].", [("The first `list[1]` is free.", (2,))]),
        ("He said “see [3] and go” [1].", [("He said “see [3] and go”.", (1,))]),
        ("The park has 5 km² of woods.", [("The park has 5 km² of woods.", ())]),
        ("- **Eels** came [1]\n- Trout came [2]", [("Eels came", (1,)), ("Trout came", (2,))]),
        ("1. Eels came [1]\n2. Trout came [2]", [("Eels came", (1,)), ("Trout came", (2,))]),
        ("It opened [1].\n\nSources:\n[1] The ladder", [("It opened.", (1,))]),
        ("It opened [1].\n\n[1]: The ladder, line 3", [("It opened.", (1,))]),
        ("<think>Passage [2] says so.</think>It opened [1].", [("It opened.", (1,))]),
        ("<think>Passage [2] says so, or does", []),
        ("J. Firth paid 3.5 million [1]. U.S. troops left [2].",
         [("J. Firth paid 3.5 million.", (1,)), ("U.S. troops left.", (2,))]),
        ("It opened\ufffd [1]\ufffd.", [("It opened.", (1,))]),
        ("Er öffnete 1971 [1]. Niemand kam [2].",
         [("Er öffnete 1971.", (1,)), ("Niemand kam.", (2,))]),
        ("It opened.", [("It opened.", ())]),
        ("", []),
        ("[1]", []),
        ("...", []),
    ],
)  # fmt: skip
def test_every_way_of_citing(written: str, expected: Told) -> None:
    assert told(written) == expected


def test_what_streams_in_grows_and_never_changes() -> None:
    written = (
        "It opened in 1971. [1] It cost 3.5 million, they say [2, 3]. <think>no</think>All [4]."
    )
    seen: Told = []
    for length in range(len(written) + 1):
        now = told(written[:length], ended=False)
        assert now[: len(seen)] == seen
        seen = now
    assert seen == told(written)[:2]
    assert told(written)[2] == ("All.", (4,))
