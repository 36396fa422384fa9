import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { readSettingsJson } from '../settings-file.ts';
import { LEAST_LENGTH } from './declared-length.ts';

/** Some files write -1 where there is no limit. */
const count = z.int().min(LEAST_LENGTH).nullish().catch(null);
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
    json = readSettingsJson(configFile);
  } catch (error) {
    if (error instanceof LimbeckError) throw error;
    // Whoever needs its classes says what is wrong with it.
    return undefined;
  }
  const { data } = schema.safeParse(json);
  const positions = data?.max_position_embeddings ?? data?.n_positions ?? undefined;
  if (positions === undefined) return undefined;
  const offset = OFFSET_POSITIONS.test(data?.model_type ?? '') ? (data?.pad_token_id ?? 1) + 1 : 0;
  return positions > offset ? positions - offset : undefined;
}
