import type { Engine } from '../engine/engine.ts';
import { createNodeEngine } from '../engine/node.ts';
import { EarlyExits } from '../export/early-exits.ts';

import { join } from '../platform/paths.ts';
import { readRegularFile } from '../regular-file.ts';

/**
 * Opens a student with early exits, to be run on batches in parts (`EarlyExits`).
 *
 * @param folder the student's: it has an `exits.json`
 * @example
 * const student = await openEarlyExits('runs/glosses-exits/student');
 * const { logits, exit } = await student.run({ input_ids, attention_mask });
 * @throws LimbeckError `model.exits` for a student without parts
 */
export function openEarlyExits(
  folder: string,
  options: { readonly engine?: Pick<Engine, 'load'>; readonly model?: string } = {},
): Promise<EarlyExits> {
  const { engine = createNodeEngine(), model } = options;
  return EarlyExits.open({
    engine,
    read: async (name) => readRegularFile(join(folder, name)),
    ...(model !== undefined && { model }),
  });
}
