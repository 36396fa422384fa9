import { TextSummary } from '../../generate/repetition.ts';
import type { Head } from '../../targets/head.ts';
import { ChosenTexts } from '../writing/chosen-texts.ts';
import { openWriter, writeTexts } from '../writing/writer.ts';
import { WRITTEN_AT_ONCE } from '../writing/written-texts.ts';
import type { WrittenCost } from './costs.ts';
import type { PlanningContext } from './planning-context.ts';
import type { StagePlan } from './stage-plan.ts';
import { timed } from './timing.ts';

/** Tokens of each text that are written to take the time. */
const TIMED_TOKENS = 12;
/** Of a record: a key, a checksum, a length; LMDB's own. */
const RECORD_BYTES = 48;

/**
 * Writing texts: times the first tokens of a batch. Texts are expected to be as long as the documents that they begin as, and
 * are as long as they may be at most. What the store has of them already is not looked up.
 */
export async function planWriting(
  context: PlanningContext,
): Promise<{ readonly plan: StagePlan; readonly cost: WrittenCost }> {
  const { recipe, data, memory } = context;
  const { written: options } = recipe.data;
  if (!options) throw new Error('a recipe without written texts');
  const { labels } = data.heads[0] as Head;
  const chosen = new ChosenTexts(data.dataset.splits.train, { labels, ...options, seed: recipe.seed });
  const first = chosen.read(Array.from({ length: Math.min(WRITTEN_AT_ONCE, chosen.size) }, (_, i) => i));
  const lengths = new TextSummary();
  for (const { ids, length } of first) lengths.add(ids.slice(length));
  const most = Math.min(
    options.maxNewTokens ?? recipe.data.maxLength,
    recipe.data.maxLength - options.promptTokens,
  );
  const expected = Math.min(most, lengths.value().tokens);
  const seconds = await context.told('write', 'Time the teacher as it writes', () => perToken(first));
  memory.observe();
  const batches = Math.ceil(chosen.size / WRITTEN_AT_ONCE);
  return {
    plan: {
      stage: 'write',
      seconds: batches * expected * seconds,
      secondsAtMost: batches * most * seconds,
      memoryBytes: memory.take(),
      diskBytes: Math.round(chosen.size * (RECORD_BYTES + 4 * expected)),
      note: `${chosen.size} texts to write, of ${expected.toFixed(0)} tokens if they are as long as the documents, of ${most} at most`,
    },
    cost: { texts: chosen.size },
  };

  /** Seconds of a token of a batch. */
  async function perToken(texts: typeof first): Promise<number> {
    if (texts.length === 0) return 0;
    const writer = await openWriter(context, data);
    try {
      const tokens = Math.max(1, Math.min(most, TIMED_TOKENS));
      const how = { ...options, ...recipe.data, endIds: [], maxNewTokens: tokens } as const;
      await writeTexts(writer.decoder, texts, { ...how, temperature: 1, topP: 1, maxNewTokens: 1 });
      context.checkInterrupted();
      const { seconds } = await timed(() =>
        writeTexts(writer.decoder, texts, {
          ...how,
          temperature: options?.temperature ?? 1,
          topP: options?.topP ?? 1,
        }),
      );
      return seconds / tokens;
    } finally {
      await writer.release();
    }
  }
}
