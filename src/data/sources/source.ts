import type { z } from 'zod';
import type { DataSource } from '../sample.ts';

/** What a source may use of the world around it. */
export interface SourceContext {
  /** The absolute path of a path in a recipe. The caller checks that it stays inside the folders allowed. */
  resolvePath(path: string): string;
  /** A folder for downloads that later runs reuse. */
  cacheFolder: string;
  /** What the recipe's inputs and outputs are read from; the source's own textField and labelField when absent. */
  columns?: WantedColumns;
  fetch?: typeof globalThis.fetch;
  signal?: AbortSignal;
}

/** A column that a recipe wants, and the key that names it. */
export interface WantedColumn {
  readonly name: string;
  /** For remedies: `data.source.textField`, `inputs.image.field`. */
  readonly key: string;
}

/** The columns of a table that hold samples. */
export interface WantedColumns {
  readonly inputs: readonly WantedColumn[];
  /** A table may lack these: its rows have no labels then. */
  readonly outputs: readonly WantedColumn[];
}

/** An entry of the registry: a kind of data source that recipes can name. */
export interface SourceKind<Kind extends string = string, Schema extends z.ZodType = z.ZodType> {
  readonly kind: Kind;
  /** What its samples are, where they can be nothing else. */
  readonly gives?: string;
  /** The task that they are for, where a recipe names none. */
  readonly task?: string;
  /** The options beside `kind`; its descriptions are what editors show. */
  readonly options: Schema;
  /** Throws LimbeckError if what is named is missing or not what it should be. */
  open(options: z.output<Schema>, context: SourceContext): Promise<DataSource>;
}

/** Lets `open` be typed by the schema beside it. */
export function defineSource<Kind extends string, Schema extends z.ZodType>(
  source: SourceKind<Kind, Schema>,
): SourceKind<Kind, Schema> {
  return source;
}
