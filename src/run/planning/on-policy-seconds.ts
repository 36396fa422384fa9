import { TextSummary } from '../../generate/repetition.ts';
import type { Student } from '../../students/student.ts';
import type { Head } from '../../targets/head.ts';
import { trainedTensors } from '../../train/step-graph.ts';
import type { Artifacts } from '../context/artifact.ts';
import { TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { ChosenTexts } from '../writing/chosen-texts.ts';
import { StudentWriter } from '../writing/student-writer.ts';
import { writeTexts } from '../writing/writer.ts';
import { TEACHER_COST } from './costs.ts';
import type { PlanningContext } from './planning-context.ts';
import { timed } from './timing.ts';

/** Tokens of each text that are written to take the time. */
const TIMED_TOKENS = 12;

/**
 * Seconds that a step takes on average for the texts of a student: writing a batch, where that is not replayed, and asking the teacher.
 * Texts are taken to be as long as the documents that they begin as.
 */
export async function onPolicySeconds(
  context: PlanningContext,
  student: Student,
  costs: Artifacts,
): Promise<number> {
  const { recipe, data, engine } = context;
  const { onPolicy, batchSize } = recipe.training;
  if (!onPolicy) return 0;
  const { labels } = data.heads[0] as Head;
  const { train } = data.dataset.splits;
  const chosen = new ChosenTexts(train, { labels, ...onPolicy, part: 1, seed: recipe.seed });
  const prompts = chosen.read(Array.from({ length: Math.min(batchSize, chosen.size) }, (_, i) => i));
  if (prompts.length === 0) return 0;
  const lengths = new TextSummary();
  for (const { ids, length } of prompts) lengths.add(ids.slice(length));
  const room = recipe.data.maxLength - onPolicy.promptTokens;
  const expected = Math.min(lengths.value().tokens, onPolicy.maxNewTokens ?? room, room);
  const writer = await StudentWriter.open(engine, student, recipe.data.maxLength);
  try {
    const parameters = new Map(
      [...trainedTensors(student)].map(([name, { data: values }]) => [name, values as Float32Array]),
    );
    const tokens = Math.max(1, Math.min(room, TIMED_TOKENS));
    const write = (maxNewTokens: number) =>
      writeTexts(writer.decoder(parameters), prompts, {
        ...onPolicy,
        ...recipe.data,
        maxNewTokens,
        endIds: [],
      });
    await write(1);
    context.checkInterrupted();
    const { seconds } = await timed(() => write(tokens));
    const writing = (seconds / tokens) * expected * (1 - onPolicy.replay);
    const teacher = costs.find(TEACHER_COST)?.cost.f32.batch;
    const judging = (Math.max(0, ...(teacher?.values() ?? [])) * batchSize) / TEACHER_BATCH;
    return (1 - onPolicy.after) * onPolicy.share * (writing + judging);
  } finally {
    await writer.release();
  }
}
