"""The modality of a DICOM series, from the words and the times in its tags."""

import re

LOCALIZER = re.compile(r"locali[sz]er|scout|survey|smart ?brain|plan\b")
# What is none of the four modalities, although its description may name one of them.
_OTHER = re.compile(
    r"t2 ?(star|\*)|\bswi|\bswan|hemo|dwi|diff|\badc|trace|\bdti|perf|\bdsc|\bdce|\basl|bold|\btof|angio|\bmra\b|spine|"
    r"phase|subtr|\bmip\b|spectro|\bb0|\bb1000|t2map|t1map|\bsub\b"
)
_FLAIR = re.compile(r"flair|tirm|dark ?fluid")
_T1 = re.compile(r"t1|mp ?rage|bravo|spgr|flash|\btfl|vibe|tfe")
_T2 = re.compile(r"t2")
_AGENT = re.compile(r"\b(gd|gad\w*|ce|km|post\w*|c\+|contrast\w*|t1c|t1ce|t1gd)\b|\+ ?(c|gd|km)\b|\bc\+")
_WITHOUT = re.compile(r"\b(pre|nativ\w*|ohne|sans|without|no|w o|wo) ?(gd|gad\w*|km|c|contrast\w*)?\b")


def modality_of(tags: dict[str, str]) -> str:
    """The modality that a series shows by its tags, "" if it is none of flair, t1, t1ce and t2.

    tags: description, protocol, agent, and the times (ms) repetition, echo and inversion. The words of the description
    count first. Without any, the times decide, as in a textbook: T1 has a short echo, T2 a long one, FLAIR also a long
    inversion.
    """
    words = re.sub(r"[_\-./,()]+", " ", tags["description"] or tags["protocol"]).lower()
    if _OTHER.search(words):
        return ""
    enhanced = bool(_AGENT.search(words)) or bool(tags["agent"].strip())
    if _WITHOUT.search(words):
        enhanced = False
    # A T1 FLAIR is a T1.
    if _T1.search(words):
        return "t1ce" if enhanced else "t1"
    if _FLAIR.search(words):
        return "flair"
    if _T2.search(words):
        return "t2"
    repetition, echo, inversion = (_number(tags[name]) for name in ("repetition", "echo", "inversion"))
    if echo > 60 and inversion > 1500:
        return "flair"
    if echo > 60 and repetition > 2000:
        return "t2"
    if 0 < echo < 30 and 0 < repetition < 3000:
        return "t1ce" if enhanced else "t1"
    return ""


def _number(text: str) -> float:
    try:
        return float(text.split("\\")[0])
    except ValueError:
        return 0.0
