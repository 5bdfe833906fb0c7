// Which modality a file shows, by its name.

const ENDING = /\.nii(\.gz)?$/i, LONGEST = 3;

// The words of a name that are a modality, the longest ones first, and of these the last: "T2 FLAIR" is not a T2.
function modalityOf(name, names) {
  const stem = name.replace(ENDING, ""), words = stem.toLowerCase().split(/[^a-z0-9]+/).filter(Boolean);
  for (let count = LONGEST; count; count--) for (let at = words.length - count; at >= 0; at--) {
    const found = names[words.slice(at, at + count).join("")];
    // BIDS names a scan with contrast agent after the agent: sub-01_ce-gadolinium_T1w.
    if (found) return found === "t1" && /(^|_)ce-/i.test(stem) ? "t1ce" : found;
  }
  return "";
}

// What the names of all files begin with, without a separator at its end.
function commonStart(names) {
  let start = names[0];
  while (!names.every(name => name.startsWith(start))) start = start.slice(0, -1);
  return (names.length > 1 ? start : start.replace(ENDING, "")).replace(/[^a-z0-9]+$/i, "");
}
