import type { Split } from '../../data/split.ts';
import type { Session } from '../../engine/engine.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { type Head, tunedHead } from '../../targets/head.ts';
import { takenFeeds } from '../../train/batch-feeds.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';

const ROWS = 256;

/** The heads as a model's outputs are read: with what is chosen on its answers to a validation split. */
export async function tuneHeads(
  run: Pick<RunContext, 'checkInterrupted'>,
  session: Session,
  heads: readonly Head[],
  validation: Split,
): Promise<readonly Head[]> {
  const tunings = heads.map(({ target, options, space, labels, weights }) =>
    target.tune?.({ options, space, labels, weights }),
  );
  if (tunings.every((tuning) => tuning === undefined)) return heads;
  const fetches = Object.fromEntries(heads.map(({ output }) => [output, null]));
  for (const batch of splitBatches(validation, ROWS)) {
    run.checkInterrupted();
    const answers = await session.run(takenFeeds(session, batch.columns), fetches);
    tunings.forEach((tuning, i) => {
      tuning?.add(answers[(heads[i] as Head).output] as Tensor, batch);
    });
  }
  return heads.map((head, i) => tunedHead(head, tunings[i]?.result()));
}
