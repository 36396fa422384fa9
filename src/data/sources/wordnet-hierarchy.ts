import { LEXNAMES } from './lexnames.ts';

/** A noun synset of WordNet, as a line of `data.noun` has it (WordNet manual, `wndb(5WN)`). */
export interface NounSynset {
  /** Eight digits: where its line begins in the file. */
  readonly offset: string;
  /** Its first word, with spaces. */
  readonly word: string;
  /** All its words, with spaces. */
  readonly words: readonly string[];
  /** Its lexicographer file: `noun.animal`. */
  readonly file: string;
  /** What it is a kind or an instance of. */
  readonly hypernyms: readonly string[];
  /** Definition and examples. */
  readonly gloss: string;
}

/** Reads a line of `data.noun`; undefined for one that is not a synset with a gloss. */
export function readNounSynset(line: string): NounSynset | undefined {
  const bar = line.indexOf(' | ');
  if (bar < 0 || !/^\d{8} \d\d n /.test(line)) return undefined;
  const fields = line.slice(0, bar).split(' ');
  const words = Number.parseInt(fields[3] as string, 16);
  // Words come with a number each, pointers as symbol, offset, part of speech and place.
  const pointers = 4 + 2 * words;
  const count = Number(fields[pointers]);
  const hypernyms: string[] = [];
  for (let i = 0; i < count; i++) {
    const at = pointers + 1 + 4 * i;
    if (fields[at] === '@' || fields[at] === '@i') hypernyms.push(fields[at + 1] as string);
  }
  const names = Array.from({ length: words }, (_, i) => (fields[4 + 2 * i] as string).replaceAll('_', ' '));
  return {
    offset: fields[0] as string,
    word: names[0] as string,
    words: names,
    file: LEXNAMES[Number(fields[1])] ?? '',
    hypernyms,
    gloss: line.slice(bar + 3).trim(),
  };
}

/** What noun synsets are kinds of, over any number of steps. */
export class NounHierarchy {
  readonly #hypernyms: ReadonlyMap<string, readonly string[]>;
  readonly #distances = new Map<string, ReadonlyMap<string, number>>();

  constructor(synsets: Iterable<Pick<NounSynset, 'offset' | 'hypernyms'>>) {
    this.#hypernyms = new Map(Array.from(synsets, ({ offset, hypernyms }) => [offset, hypernyms]));
  }

  get synsets(): Iterable<string> {
    return this.#hypernyms.keys();
  }

  /** Everything that a synset is a kind of, with the fewest steps to it; itself with 0. */
  ancestors(offset: string): ReadonlyMap<string, number> {
    const known = this.#distances.get(offset);
    if (known) return known;
    const found = new Map([[offset, 0]]);
    // Set before it is complete, so that a circle in a damaged file ends.
    this.#distances.set(offset, found);
    for (const hypernym of this.#hypernyms.get(offset) ?? []) {
      for (const [ancestor, steps] of this.ancestors(hypernym)) {
        found.set(ancestor, Math.min(found.get(ancestor) ?? Number.POSITIVE_INFINITY, steps + 1));
      }
    }
    return found;
  }

  /**
   * 1 / (1 + the steps from one synset to the other over the nearest thing that both are a kind of), 0 to 1: WordNet's path
   * similarity (Rada et al., "Development and Application of a Metric on Semantic Nets", 1989).
   */
  pathSimilarity(a: string, b: string): number {
    const [ofA, ofB] = [this.ancestors(a), this.ancestors(b)];
    let steps = Number.POSITIVE_INFINITY;
    for (const [ancestor, distance] of ofA) {
      steps = Math.min(steps, distance + (ofB.get(ancestor) ?? Number.POSITIVE_INFINITY));
    }
    return 1 / (1 + steps);
  }

  /**
   * Synsets that many others are kinds of, but not too many: between these parts of all nouns, the largest first. One that
   * is nearly all of a kind that is chosen already (more than three quarters) says little of its own, and is left out.
   */
  kinds({ least, most }: { readonly least: number; readonly most: number }): string[] {
    const counts = new Map<string, number>();
    for (const offset of this.#hypernyms.keys()) {
      for (const [ancestor, steps] of this.ancestors(offset))
        if (steps > 0) counts.set(ancestor, (counts.get(ancestor) ?? 0) + 1);
    }
    const all = this.#hypernyms.size;
    const chosen: string[] = [];
    const candidates = [...counts]
      .filter(([, count]) => count >= least * all && count <= most * all)
      .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
    for (const [offset, count] of candidates) {
      const ancestors = this.ancestors(offset);
      if (chosen.some((kind) => ancestors.has(kind) && count > 0.75 * counts.get(kind)!)) continue;
      chosen.push(offset);
    }
    return chosen;
  }
}
