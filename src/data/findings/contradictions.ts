/** Texts that have more than one label. */
export interface Contradictions {
  /** Different texts, and the rows that have them. */
  readonly texts: number;
  readonly rows: number;
  /** Two rows of some of them: positions in the table. */
  readonly first: readonly (readonly [number, number])[];
}

/** What is looked at of the samples, by their position. */
export interface LabelledTexts {
  readonly size: number;
  /** -1 for none. */
  label(sample: number): number;
  /** A hash of the text, an integer of up to 53 bits. */
  textHash(sample: number): number;
}

/** So many samples are looked at in one pass: 8 bytes each, and a place in a map for each text that is there twice. */
const PASS = 1 << 22;
const SHOWN = 3;

/** Finds texts that rows have with different labels. Reads all hashes three times, and again for every 4 million samples. */
export function findContradictions(table: LabelledTexts, most = PASS): Contradictions {
  const passes = Math.max(1, Math.ceil(table.size / most));
  let [texts, rows] = [0, 0];
  const first: [number, number][] = [];
  for (let pass = 0; pass < passes; pass++) {
    const twice = repeated(table, pass, passes);
    if (twice.size === 0) continue;
    const seen = new Map<number, { sample: number; label: number; rows: number; other: number }>();
    eachLabelled(table, pass, passes, (sample, hash) => {
      if (!twice.has(hash)) return;
      const label = table.label(sample);
      const known = seen.get(hash);
      if (!known) {
        seen.set(hash, { sample, label, rows: 1, other: -1 });
        return;
      }
      known.rows++;
      if (known.other < 0 && known.label !== label) known.other = sample;
    });
    for (const known of seen.values()) {
      if (known.other < 0) continue;
      texts++;
      rows += known.rows;
      first.push([known.sample, known.other]);
    }
    first.sort(([a], [b]) => a - b);
    first.length = Math.min(first.length, SHOWN);
  }
  return { texts, rows, first };
}

/** The hashes that more than one labelled sample of a pass has. */
function repeated(table: LabelledTexts, pass: number, passes: number): Set<number> {
  const hashes = new Float64Array(passes === 1 ? table.size : sizeOf(table, pass, passes));
  let size = 0;
  eachLabelled(table, pass, passes, (_, hash) => {
    hashes[size++] = hash;
  });
  const sorted = hashes.subarray(0, size).sort();
  const twice = new Set<number>();
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) twice.add(sorted[i] as number);
  return twice;
}

/** How many labelled samples belong to a pass. */
function sizeOf(table: LabelledTexts, pass: number, passes: number): number {
  let size = 0;
  eachLabelled(table, pass, passes, () => size++);
  return size;
}

/** The labelled samples whose texts belong to a pass, with their hashes. */
function eachLabelled(
  table: LabelledTexts,
  pass: number,
  passes: number,
  look: (sample: number, hash: number) => void,
): void {
  for (let sample = 0; sample < table.size; sample++) {
    if (table.label(sample) < 0) continue;
    const hash = table.textHash(sample);
    if (passes === 1 || hash % passes === pass) look(sample, hash);
  }
}
