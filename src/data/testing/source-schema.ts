import { z } from 'zod';
import { SOURCES, type SourceOptions } from '../sources/index.ts';

const variants = SOURCES.map(({ kind, options }) =>
  z.strictObject({ kind: z.literal(kind), ...options.shape }).meta(options.meta() ?? {}),
);

/** What stands under `data.source`, on its own (recipes have it from recipe/data.ts). */
export const sourceSchema = z.discriminatedUnion(
  'kind',
  variants as unknown as [z.ZodObject<{ kind: z.ZodLiteral }>],
) as unknown as z.ZodType<SourceOptions>;
