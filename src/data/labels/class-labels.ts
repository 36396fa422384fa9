import { LimbeckError } from '../../errors.ts';
import { BrokenValue } from '../broken-value.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { FoundTruth, GroundTruth, TruthContext, TruthReader } from '../ground-truth.ts';
import { fieldRemedy, keysInOutputs, type OutputKeys } from '../output-keys.ts';
import type { SourceNote } from '../sample.ts';
import { type LabelNames, LabelReader, type LabelSummary } from './label-reader.ts';
import { NOT_UTF8, readLabel, shownValue, textOfBytes } from './label-value.ts';

export interface ClassLabelsOptions {
  /** The allowed class names, in the order of their numbers; those found in the data (`orderClasses`) when absent. */
  readonly labels?: readonly string[] | undefined;
  /** Other names for labels in the data; null for a value that stands for no label. */
  readonly renameLabels?: LabelNames | undefined;
  /** What a teacher makes of the classes of the data; they stay as they are when absent. */
  readonly classes?: ClassResolver | undefined;
}

/** Decides which classes a run has and in which order, from those of the data: a teacher may have its own. */
export interface ClassResolver {
  /** What the decision depends on besides the data's classes: part of the fingerprint. */
  readonly key: string;
  /** The classes, and the class of each label of the data. Throws LimbeckError where they do not fit together. */
  resolve(labels: LabelSummary): {
    readonly labels: readonly string[];
    readonly classOfLabel: readonly number[];
  };
}

/** Class names; a value is a position in the list. */
export interface ClassSpace {
  readonly names: readonly string[];
}

/**
 * One class for each row, of those that the recipe lists, the data set declares, or its rows have: int32, -1 for none.
 *
 * @throws LimbeckError `data.options` for a class that is listed twice
 */
export function classLabels(options: ClassLabelsOptions): GroundTruth<number, ClassSpace> {
  const { labels, renameLabels, classes } = options;
  if (labels && new Set(labels).size < labels.length) {
    throw new LimbeckError('data.options', 'a class is twice in data.labels', {
      where: 'data',
      remedy: 'List every class once.',
    });
  }
  return {
    hash: canonicalJson({ labels, renameLabels, ...(classes && { classes: classes.key }) }),
    marksMissing: true,
    begin: (context) => new ClassReader(options, context),
    columns: (_, name) => [{ name, type: 'int32', shape: [], pad: -1, role: 'target' }],
    write(value, columns, row, _, name) {
      (columns[name]?.data as Int32Array)[row] = value;
    },
  };
}

class ClassReader implements TruthReader<number, ClassSpace> {
  readonly #options: ClassLabelsOptions;
  readonly #context: TruthContext;
  readonly #labels: LabelReader;
  readonly #declared: readonly string[] | undefined;
  readonly #keys: OutputKeys;

  constructor(options: ClassLabelsOptions, context: TruthContext) {
    this.#options = options;
    this.#context = context;
    this.#keys = context.keys ?? keysInOutputs(context.output);
    const { kept, declared, title } = context;
    this.#declared = declared?.classes?.names;
    this.#labels = new LabelReader({
      // Rows of other classes are not rows of a run whose splits are kept.
      labels: kept ? kept.dataLabels.map(({ label }) => label) : options.labels,
      declared: this.#declared,
      renameLabels: options.renameLabels,
      title,
      keys: this.#keys,
    });
  }

  get strata(): readonly string[] {
    return this.#labels.labels;
  }

  stratum(value: number): number {
    return value;
  }

  read(raw: unknown, { where }: { readonly where: string }): number | undefined {
    const { field } = this.#context;
    const value = textOfBytes(raw);
    if (value === NOT_UTF8) throw new BrokenValue('encoding', `'${field}' has bytes that are not UTF-8`);
    if (Array.isArray(value)) {
      const problem = `'${field}' is a list (${shownValue(value)}); a text can have one class`;
      // Where no row before had one class, the column holds lists.
      if (!this.#labels.hasLabels)
        throw severalClasses(problem, `${this.#context.title}, ${where}`, this.#context.output, this.#keys);
      throw new BrokenValue('label', problem);
    }
    const { problem, ...label } = readLabel(value, this.#declared);
    if (problem) throw new BrokenValue('label', `'${field}' is ${shownValue(value)}, ${problem}`);
    const number = this.#labels.read(label);
    if (number === undefined) throw new BrokenValue('unknown-label', this.#labels.unknown(label));
    return number < 0 ? undefined : number;
  }

  finish(): FoundTruth<number, ClassSpace> {
    const { kept, notes, title } = this.#context;
    const { classes } = this.#options;
    const keys = this.#keys;
    const summary = this.#labels.summary();
    const { labels, numbers } = kept
      ? { labels: [...kept.labels], numbers: kept.dataLabels.map((one) => one.class) }
      : resolveClasses(this.#labels.labels, summary, classes, { notes, title, keys: this.#keys });
    const classOf = (label: number) => numbers[label] as number;
    return {
      space: { names: labels },
      classes: labels,
      summary,
      classOf,
      final: classOf,
      check(labelled) {
        const empty = labels.filter((_, label) => labelled[label] === 0);
        // A teacher teaches its classes without labels.
        if (empty.length > 0 && !kept && !classes) throw emptyClass(empty, title, keys);
      },
    };
  }
}

/** What errors say of where labels come from. */
interface Place {
  readonly notes: readonly SourceNote[];
  readonly title: string;
  readonly keys: OutputKeys;
}

/** The classes of the run, and the class of each label in the order in which the labels were met. */
function resolveClasses(
  met: readonly string[],
  summary: LabelSummary,
  resolver: ClassResolver | undefined,
  place: Place,
): { labels: string[]; numbers: number[] } {
  const found = summary.classes.filter(({ rows }) => rows > 0).map(({ label }) => label);
  if (found.length === 0) throw oneClass(found, place);
  const all = summary.classes.map(({ label }) => label);
  // Of declared classes those count that have rows, if nobody else knows the others.
  const own = summary.from === 'data-set' ? found : all;
  const { labels, classOfLabel } = resolver?.resolve(summary) ?? {
    labels: own,
    classOfLabel: all.map((label) => own.indexOf(label)),
  };
  if (labels.length < 2) throw oneClass(labels, place);
  return { labels: [...labels], numbers: met.map((label) => classOfLabel[all.indexOf(label)] as number) };
}

function severalClasses(problem: string, where: string, output: string, { field }: OutputKeys): LimbeckError {
  return new LimbeckError('data.multi-label', `several classes for a text, where one is wanted: ${problem}`, {
    where,
    remedy: `Take the target of several classes (outputs: { ${output}: { target: classes, field: COLUMN } })${field === undefined ? '' : `, or set ${field} to a column with one class for each row`}.`,
  });
}

const MOST_SHOWN = 10;

function oneClass(labels: readonly string[], { notes, title, keys }: Place): LimbeckError {
  const problem = labels.length === 0 ? 'no row has a label' : `all rows have the label '${labels[0]}'`;
  const told = notes.find(({ kind }) => kind === 'columns');
  return new LimbeckError('data.one-class', `${problem}: there is nothing to classify`, {
    where: told && labels.length === 0 ? told.message : title,
    remedy: fieldRemedy(keys, labels.length === 0 ? 'the class' : 'two classes at least'),
  });
}

function emptyClass(empty: readonly string[], title: string, { field, labels }: OutputKeys): LimbeckError {
  const shown = empty.slice(0, MOST_SHOWN).map((label) => `'${label.slice(0, 100)}'`);
  const more = empty.length - shown.length;
  return new LimbeckError(
    'data.empty-class',
    `no training sample has the label ${shown.join(', ')}${more > 0 ? ` and ${more} others` : ''}`,
    {
      where: title,
      remedy: `Remove these from ${labels}, hold out fewer samples, or bring samples of them.${more > 0 && field !== undefined ? ` Where nearly every row has a label of its own, ${field} may name another column than the class.` : ''}`,
    },
  );
}
