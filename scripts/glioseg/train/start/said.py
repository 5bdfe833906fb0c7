"""Sentences on what a training takes over from the model that it goes on from."""

from collections.abc import Sequence

from glioseg.train.start.source import Source, Study

# Layers that a sentence names.
NAMED = 6
# Settings of preprocess that decide which scans are included, and not how they are prepared.
WHICH = ("missing", "min_tumor_percent")


def sentences(source: Source, here: Study, count: str, new: Sequence[str], frozen: int) -> list[str]:
    """What is taken over, what starts from random values and why, and what is frozen.

    here: the study of the new model; count: how many weights are taken over, in words; new: names of the layers that
    start from random values for another reason than the modalities or the classes; frozen: number of frozen layers.
    """
    there = source.study
    found = [f"The training goes on from the model {source.content[:8]}: {count} weights are taken over from it."]
    if here.modalities != there.modalities:
        common, missing = ([n for n in here.modalities if (n in there.modalities) == known] for known in (True, False))
        said = f"the kernels of {', '.join(common)}" if common else "no kernels"
        said += f"; those of {', '.join(missing)} start from random values" if missing else ""
        found.append(
            f"The first layer takes over {said}: that model reads {', '.join(there.modalities)}, and this one "
            f"{', '.join(here.modalities)}."
        )
    if (here.targets, here.channels) != (there.targets, there.channels):
        found.append(
            f"The last layer starts from random values: that model predicts {', '.join(there.channels)}, and this one "
            f"{', '.join(here.channels)}."
        )
    if here.normalization != there.normalization:
        found.append(
            f"The layers of normalization start from random values: train: normalization is {here.normalization}, and "
            f"that of the model {there.normalization}."
        )
        new = [name for name in new if "normalization" not in name]
    if new:
        names = list(dict.fromkeys(new))
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        found.append(
            "That model has no weights of the right shape for these layers, which start from random values: "
            f"{', '.join(names[:NAMED])}{more}. Its filters are {list(there.filters)}, and here {list(here.filters)}."
        )
    words = [
        f"{name} was {there.preprocess.get(name)} and is {value}"
        for name, value in here.preprocess.items()
        if name not in WHICH and value != there.preprocess.get(name)
    ]
    if words:
        found.append(f"That model learned from scans that were prepared in another way: {'; '.join(words)}.")
    if frozen:
        found.append(f"The encoder is frozen: training does not change {frozen} of its layers.")
    return found
