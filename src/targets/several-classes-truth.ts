import { BrokenValue } from '../data/broken-value.ts';
import { canonicalJson } from '../data/canonical-json.ts';
import type { GroundTruth, TruthContext, TruthReader } from '../data/ground-truth.ts';
import { orderClasses } from '../data/labels/class-order.ts';
import { listInText, otherSeparator } from '../data/labels/lists-in-text.ts';
import { fieldRemedy, keysInOutputs } from '../data/output-keys.ts';
import { LimbeckError } from '../errors.ts';

export interface SeveralClassesOptions {
  /** The classes in the order of their numbers; those that rows have when absent. */
  readonly labels?: readonly string[] | undefined;
  /** Between the classes of a text. */
  readonly separator: string;
  /** An empty text says that nobody knows the classes (`unknown`), or that there are none. */
  readonly empty: 'unknown' | 'none';
}

/** Class names; a value is a list of positions in it, of classes that nobody knows of -1 less their position. */
export interface ClassesSpace {
  readonly names: readonly string[];
}

/** More than these, found in data, mean that the field holds something else than classes. */
const MOST_CLASSES = 10_000;

/**
 * Any number of classes for each row: float32 [classes], 1 for a class that the row has and 0 for one that it has not; -1
 * for a row, or a class of it, of which nobody knows. Rows have texts, lists of names, lists with a 0 or 1 for each class (where
 * something lists the classes), or records of names with 1 (there), 0 (not there) and nothing (null, NaN, or less than 0: nobody
 * knows), in which what is not named is not there.
 */
export function severalClassesTruth(options: SeveralClassesOptions): GroundTruth<number[], ClassesSpace> {
  return {
    hash: canonicalJson({ several: { ...options }, version: 2 }),
    marksMissing: true,
    begin: (context) => new SeveralClassesReader(options, context),
    columns: ({ names }, name) => [{ name, type: 'float32', shape: [names.length], pad: -1, role: 'target' }],
    write(value, columns, row, { names }, name) {
      const data = columns[name]?.data as Float32Array;
      data.fill(0, row * names.length, (row + 1) * names.length);
      for (const k of value) {
        if (k >= 0) data[row * names.length + k] = 1;
        else data[row * names.length + unknown(k)] = -1;
      }
    },
  };
}

/** What stands for a class of which nobody knows, and the class of which that stands. */
function unknown(number: number): number {
  return -1 - number;
}

function isRecord(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

class SeveralClassesReader implements TruthReader<number[], ClassesSpace> {
  readonly #options: SeveralClassesOptions;
  readonly #context: TruthContext;
  readonly #listed: readonly string[] | undefined;
  /** In the order in which they were met. */
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** Whether a row has been divided into classes, or is a list of them. */
  #isParted = false;

  constructor(options: SeveralClassesOptions, context: TruthContext) {
    this.#options = options;
    this.#context = context;
    this.#listed = options.labels ?? context.kept?.labels ?? context.declared?.classes?.names;
    for (const name of this.#listed ?? []) this.#add(name);
  }

  read(raw: unknown): number[] | undefined {
    if (isRecord(raw)) return this.#ofRecord(raw);
    const parts = this.#partsOf(raw);
    return (
      parts && (this.#ofFlags(parts) ?? [...new Set(parts.map((part) => this.#number(this.#nameOf(part))))])
    );
  }

  /** Classes of a list with a 0 or 1 for each; undefined where it is a list of names. */
  #ofFlags(parts: readonly unknown[]): number[] | undefined {
    const isFlags = parts.length > 1 && parts.every((part) => [0, 1, false, true].includes(part as number));
    if (!isFlags) return undefined;
    // Positions in the list that a data set declares may be 0 and 1, once each.
    const isTwice = new Set(parts.map(Number)).size < parts.length;
    const flags = this.#listed?.length === parts.length && !this.#listed.includes(`${parts[0] as number}`);
    if (flags && (isTwice || !this.#context.declared?.classes)) {
      return parts.flatMap((part, k) => (Number(part) === 1 ? [k] : []));
    }
    if (!isTwice) return undefined;
    const { field, output, keys = keysInOutputs(output) } = this.#context;
    throw new BrokenValue(
      'label',
      this.#listed
        ? `'${field}' has ${parts.length} numbers that are 0 or 1, for ${this.#listed.length} classes`
        : `'${field}' has a 0 or 1 for each class, and nothing names the classes: list them in ${keys.labels}`,
    );
  }

  #ofRecord(raw: Readonly<Record<string, unknown>>): number[] | undefined {
    const { field } = this.#context;
    const value = Object.entries(raw).flatMap(([name, state]) => {
      const number = this.#number(name);
      if (state === null || state === undefined) return [unknown(number)];
      if (typeof state !== 'number' && typeof state !== 'boolean')
        throw new BrokenValue('label', `'${field}' says of '${name}' neither 1 nor 0`);
      const told = Number(state);
      if (Number.isNaN(told) || told < 0) return [unknown(number)];
      if (told !== 0 && told !== 1)
        throw new BrokenValue('label', `'${field}' says ${told} of '${name}', which is neither 1 nor 0`);
      return told === 1 ? [number] : [];
    });
    // Nothing is known of any class.
    const isEmpty = value.length > 0 && value.length === this.#names.length && value.every((k) => k < 0);
    return isEmpty ? undefined : value;
  }

  finish() {
    const { title, field, output, keys = keysInOutputs(output) } = this.#context;
    if (this.#names.length === 0) {
      throw new LimbeckError('data.one-class', `no row has a class in '${field}'`, {
        where: title,
        remedy: fieldRemedy(keys, 'the classes'),
      });
    }
    const names = this.#listed ? [...this.#names] : orderClasses(this.#names);
    const places = new Map(names.map((name, place) => [name, place]));
    const placeOf = this.#names.map((name) => places.get(name) as number);
    const other = this.#listed || this.#isParted ? undefined : otherSeparator(names);
    return {
      space: { names },
      tally: { names, of: (value: number[]) => value.filter((number) => number >= 0) },
      ...(other && {
        notes: [
          {
            kind: 'labels' as const,
            message: `'${field}' has the class '${other.example}', whose parts are classes, too: if '${other.separator}' stands between classes, set separator: '${other.separator}' beside ${keys.labels}`,
          },
        ],
      }),
      final: (value: number[]) =>
        value
          .map((number) =>
            number >= 0 ? (placeOf[number] as number) : unknown(placeOf[unknown(number)] as number),
          )
          .sort((a, b) => a - b),
    };
  }

  /** What a row lists, however that is written. */
  #partsOf(raw: unknown): readonly unknown[] | undefined {
    const { empty, separator } = this.#options;
    if (raw === undefined || raw === null) return undefined;
    if (raw === '') return empty === 'none' ? [] : undefined;
    const isListed = typeof raw === 'string' && this.#listed?.includes(raw.trim());
    const list = typeof raw === 'string' && !isListed ? listInText(raw) : raw;
    if (Array.isArray(list)) {
      this.#isParted = true;
      return list;
    }
    if (typeof raw !== 'string') return [raw];
    const parts = raw.split(separator);
    if (parts.length > 1) this.#isParted = true;
    return parts;
  }

  #nameOf(part: unknown): string {
    const isName = typeof part === 'string' || typeof part === 'number' || typeof part === 'boolean';
    const name = isName ? String(part).trim() : '';
    if (name === '') throw new BrokenValue('label', `'${this.#context.field}' has a class without a name`);
    const declared = this.#context.declared?.classes?.names;
    // Data sets on the hub write positions in the list that they declare.
    return typeof part === 'number' && declared && !declared.includes(name) ? (declared[part] ?? name) : name;
  }

  #number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.#listed) {
      throw new BrokenValue(
        'unknown-label',
        `class '${name}' in '${this.#context.field}' is not one of those listed`,
      );
    }
    return this.#add(name);
  }

  #add(name: string): number {
    if (this.#names.length === MOST_CLASSES) {
      const { field, title, output, keys = keysInOutputs(output) } = this.#context;
      throw new LimbeckError('data.too-many-labels', `'${field}' has more than ${MOST_CLASSES} classes`, {
        where: title,
        remedy: fieldRemedy(keys, 'the classes', `, or list them in ${keys.labels}`),
      });
    }
    this.#numbers.set(name, this.#names.length);
    this.#names.push(name);
    return this.#names.length - 1;
  }
}
