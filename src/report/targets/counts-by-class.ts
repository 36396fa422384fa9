import type { Section, Speaker } from './section.ts';

/** Of one class: how often it is true, how often a model says it, and how often both. */
export interface ClassCounts {
  present: number;
  called: number;
  right: number;
}

/** Counts of each class, by model, and the table of F1 that is drawn from them. */
export class CountsByClass {
  readonly #names: readonly string[];
  readonly #counts = new Map<Speaker, ClassCounts[]>();

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** A model's counts, to add to: in the order of the names. */
  of(who: Speaker): ClassCounts[] {
    let own = this.#counts.get(who);
    if (!own) {
      own = this.#names.map(() => ({ present: 0, called: 0, right: 0 }));
      this.#counts.set(who, own);
    }
    return own;
  }

  /**
   * A row for each class: how often it is true, and the F1 of each model, empty where it neither is there nor was called.
   *
   * @param columns the titles of the first two: `['Class', 'frames']`
   */
  table(title: string, about: string, [name, unit]: readonly [string, string]): Section[number] {
    const models = [...this.#counts.values()];
    return {
      block: 'table',
      title,
      about,
      columns: [
        { title: name, format: 'text' },
        { title: unit, format: 'count' },
        ...[...this.#counts.keys()].map((who) => ({ title: `F1, ${who}`, format: 'percent' as const })),
      ],
      rows: this.#names.map((own, k) => [
        own,
        models[0]?.[k]?.present ?? 0,
        ...models.map((all) => f1(all[k] as ClassCounts)),
      ]),
    };
  }
}

function f1({ present, called, right }: ClassCounts): number | null {
  return present + called > 0 ? (2 * right) / (present + called) : null;
}
