import type { z } from 'zod';
import type { DataSource } from '../sample.ts';

/** What a source may use of the world around it. */
export interface SourceContext {
  /** The absolute path of a path in a recipe. The caller checks that it stays inside the folders allowed. */
  resolvePath(path: string): string;
  /** A folder for downloads that later runs reuse. */
  cacheFolder: string;
  fetch?: typeof globalThis.fetch;
  signal?: AbortSignal;
}

/** An entry of the registry: a kind of data source that recipes can name. */
export interface SourceKind<Kind extends string = string, Schema extends z.ZodType = z.ZodType> {
  readonly kind: Kind;
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
