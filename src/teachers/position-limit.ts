import { z } from 'zod';
import { readRegularText } from '../regular-file.ts';

const count = z.int().positive().nullish().catch(null);
const schema = z.object({
  model_type: z.string().nullish().catch(null),
  max_position_embeddings: count,
  n_positions: count,
  pad_token_id: z.int().nonnegative().nullish().catch(null),
});

/** Models whose positions begin behind their padding token's number, so that their table has rows to spare. */
const OFFSET_POSITIONS = /roberta|camembert|xlm|mpnet|longformer|ibert/i;

/** The tokens that a model has positions for, as its `config.json` says; undefined where it does not. */
export function positionLimit(configFile: string | undefined): number | undefined {
  if (configFile === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(readRegularText(configFile).replace(/^\uFEFF/, ''));
  } catch {
    // Whoever needs its classes says what is wrong with it.
    return undefined;
  }
  const { data } = schema.safeParse(json);
  const positions = data?.max_position_embeddings ?? data?.n_positions ?? undefined;
  if (positions === undefined) return undefined;
  const offset = OFFSET_POSITIONS.test(data?.model_type ?? '') ? (data?.pad_token_id ?? 1) + 1 : 0;
  return positions > offset ? positions - offset : undefined;
}
