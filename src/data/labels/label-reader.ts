import { closest } from 'fastest-levenshtein';
import { LimbeckError } from '../../errors.ts';
import { fieldRemedy, type OutputKeys } from '../output-keys.ts';
import { orderClasses } from './class-order.ts';

/** More classes than this, found in data, mean that the label field holds something else than labels. */
const MOST_LABELS = 10_000;

/** Other names for labels in the data: classes, or null for values that stand for no label. */
export type LabelNames = Readonly<Record<string, string | null>>;

/** `data.renameLabels` of a recipe by the names in the data. @throws LimbeckError for one that is there twice. */
export function labelNames(
  renamings: readonly { readonly from: string | readonly string[]; readonly to: string | null }[],
): LabelNames {
  const names = new Map<string, string | null>();
  for (const { from, to } of renamings) {
    for (const name of [from].flat() as string[]) {
      if (names.has(name)) {
        throw new LimbeckError('data.options', `'${name}' is renamed twice`, {
          where: 'data.renameLabels',
          remedy: 'Give every label one new name.',
        });
      }
      names.set(name, to);
    }
  }
  return Object.fromEntries(names);
}

/** The labels of a data set, as its rows have them. */
export interface LabelSummary {
  /** The classes of the data with the rows that have them: listed in the recipe, declared by the data set, or found. */
  readonly classes: readonly { readonly label: string; readonly rows: number }[];
  /** Who gave the classes and their order. */
  readonly from: 'recipe' | 'data-set' | 'rows';
  /** Rows without a label. */
  readonly unlabelled: number;
  /** Of these, the values that were taken for none, though they are not empty. */
  readonly noLabel: readonly { readonly value: string; readonly rows: number }[];
  /** Names in `renameLabels` that no row has. */
  readonly unusedNames: readonly string[];
}

export interface LabelReaderOptions {
  /** The classes listed in the recipe, in their order. */
  readonly labels?: readonly string[] | undefined;
  /** The classes that the data set declares, in the order of their numbers. */
  readonly declared?: readonly string[] | undefined;
  readonly renameLabels?: LabelNames | undefined;
  /** The source, for errors. */
  readonly title: string;
  /** For errors; those of the short form when absent. */
  readonly keys?: OutputKeys | undefined;
}

const SHORT: OutputKeys = { field: 'data.source.labelField', labels: 'data.labels' };

/** A row's label, or the value that stands for none where the data set does not declare it (`NaN`). */
export interface RowLabel {
  readonly label?: string;
  readonly noLabel?: string;
}

/** Numbers the labels of rows, and counts what it meets. */
export class LabelReader {
  readonly #options: LabelReaderOptions;
  /** Class names in the order of their numbers: the given ones, or as they were met. */
  readonly labels: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #rows: number[] = [];
  readonly #noLabel = new Map<string, number>();
  readonly #namesMet = new Set<string>();
  #unlabelled = 0;

  constructor(options: LabelReaderOptions) {
    this.#options = options;
    for (const label of options.labels ?? this.#renamed(options.declared ?? [])) this.#add(label);
  }

  get #keys(): OutputKeys {
    return this.#options.keys ?? SHORT;
  }

  /** Whether a row with a label was read. */
  get hasLabels(): boolean {
    return this.#rows.some((rows) => rows > 0);
  }

  /** The number of a row's label: -1 for a row without one, undefined for one that is not in the list of the recipe. */
  read({ label, noLabel }: RowLabel): number | undefined {
    const name = label === undefined ? null : this.#rename(label);
    if (name === null) {
      this.#unlabelled++;
      const value = label ?? noLabel;
      if (value !== undefined) this.#noLabel.set(value, (this.#noLabel.get(value) ?? 0) + 1);
      return -1;
    }
    const number = this.#numbers.get(name) ?? (this.#options.labels ? undefined : this.#add(name));
    if (number !== undefined) (this.#rows[number] as number)++;
    return number;
  }

  /** What is wrong with a label that is not in the list of the recipe. */
  unknown({ label = '' }: RowLabel): string {
    const name = this.#rename(label) ?? label;
    const renamed = name === label ? '' : ` (renamed from '${label}')`;
    return `label '${name}'${renamed} is not in ${this.#keys.labels} (the nearest there is '${closest(name, this.labels)}')`;
  }

  summary(): LabelSummary {
    const { labels, declared, renameLabels = {} } = this.#options;
    const order = labels || declared ? this.labels : orderClasses(this.labels);
    return {
      classes: order.map((label) => ({
        label,
        rows: this.#rows[this.#numbers.get(label) as number] as number,
      })),
      from: labels ? 'recipe' : declared ? 'data-set' : 'rows',
      unlabelled: this.#unlabelled,
      noLabel: [...this.#noLabel].map(([value, rows]) => ({ value, rows })),
      unusedNames: Object.keys(renameLabels).filter((name) => !this.#namesMet.has(name)),
    };
  }

  #rename(label: string): string | null {
    const names = this.#options.renameLabels;
    if (!names || !Object.hasOwn(names, label)) return label;
    this.#namesMet.add(label);
    return names[label] as string | null;
  }

  #renamed(declared: readonly string[]): string[] {
    const names = declared.map((label) => this.#rename(label)).filter((name) => name !== null);
    return [...new Set(names)];
  }

  #add(label: string): number {
    if (this.labels.length === MOST_LABELS) {
      throw new LimbeckError('data.too-many-labels', `the label field has more than ${MOST_LABELS} values`, {
        where: this.#options.title,
        remedy: fieldRemedy(this.#keys, 'the class', `, or list the classes in ${this.#keys.labels}`),
      });
    }
    this.labels.push(label);
    this.#rows.push(0);
    this.#numbers.set(label, this.labels.length - 1);
    return this.labels.length - 1;
  }
}
