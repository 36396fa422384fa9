import type { Batch } from '../../data/batch.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Graph, Value } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { createSha256 } from '../../platform/hash.ts';
import { join } from '../../platform/paths.ts';
import { answersOf, asAsked, feedsOf, requireTaps } from '../model-batches.ts';
import type { Teacher, TeacherOutput } from '../teacher.ts';
import { labelPass } from './label-pass.ts';
import { type MemoryBound, type PartedModel, partedModel } from './parted-model.ts';
import { partedSession } from './parted-session.ts';
import { PassFolder } from './pass-folder.ts';

export interface PartedTeacherOptions {
  readonly title: string;
  readonly hash: string;
  readonly preprocessing: string;
  readonly outputs: Readonly<Record<string, TeacherOutput>>;
  readonly inputs: readonly Value[];
  readonly bound: MemoryBound;
}

/** A teacher within a bound of memory: in parts, where its model is larger. @throws LimbeckError `teacher.memory` */
export async function boundedTeacher(
  graph: Graph,
  engine: Engine,
  options: PartedTeacherOptions,
): Promise<Teacher> {
  const { title, hash, preprocessing, outputs, inputs, bound } = options;
  const model = partedModel(graph, { engine, title, bound });
  if (model.parts.length > 1) return partedTeacher(model, options);
  const session = await model.open(0);
  return {
    title,
    hash,
    preprocessing,
    outputs,
    async label(given, taps) {
      requireTaps(outputs, taps, title);
      const batch = asAsked(inputs, given);
      const fetches = Object.fromEntries(taps.map((tap) => [tap, null]));
      return answersOf(await session.run(feedsOf(inputs, batch), fetches), { outputs, taps, batch, title });
    },
    close: () => session.release(),
  };
}

/** A teacher whose model runs in parts: one question after another is slow, many go through each part together (`labelAll`). */
export function partedTeacher(model: PartedModel, options: PartedTeacherOptions): Teacher {
  const { title, hash, preprocessing, outputs, inputs, bound } = options;
  const { folder } = bound;
  new PassFolder(join(folder, PASS)).removeFinished();
  const session = partedSession(model);
  const typeOf = new Map(inputs.map((input) => [input.name, input]));
  const tensorsOf = (values: Readonly<Record<string, Tensor>>, batch: Batch) =>
    answersOf(values, { outputs, title, batch, taps: Object.keys(values) });
  return {
    title,
    hash,
    preprocessing,
    outputs,
    parts: model,
    async label(given, taps) {
      requireTaps(outputs, taps, title);
      const batch = asAsked(inputs, given);
      const fetches = Object.fromEntries(taps.map((tap) => [tap, null]));
      return tensorsOf(await session.run(feedsOf(inputs, batch), fetches), batch);
    },
    async *labelAll(batches, taps, how = {}) {
      const { resume = false } = how;
      const id = passId({ hash, preprocessing, taps, model });
      const pass = labelPass(eachAsAsked(inputs, batches), {
        ...how,
        model,
        folder: join(folder, resume ? PASS : PASS_ONCE),
        id,
        taps,
        resume,
        feeds: ({ inputNames }, batch) =>
          feedsOf(
            inputNames.flatMap((input) => typeOf.get(input) ?? []),
            batch,
          ),
      });
      for await (const [batch, values] of pass) yield [batch, tensorsOf(values, batch)] as const;
    },
    close: () => session.release(),
  };
}

async function* eachAsAsked(
  inputs: readonly Value[],
  batches: Iterable<Batch> | AsyncIterable<Batch>,
): AsyncGenerator<Batch> {
  for await (const batch of batches) yield asAsked(inputs, batch);
}

/** What goes from part to part, of passes that are gone on with and of others. */
const PASS = 'between-parts';
const PASS_ONCE = 'between-parts-once';

/** Tells one pass from another: what was made by another cut, or of other answers, is of no use. */
function passId(pass: {
  readonly hash: string;
  readonly preprocessing: string;
  readonly taps: readonly string[];
  readonly model: PartedModel;
}): string {
  const { hash, preprocessing, taps, model } = pass;
  const parts = model.parts.map(({ carriedIn, answers, weightBytes }) => ({
    carriedIn,
    answers,
    weightBytes,
  }));
  return createSha256().update(JSON.stringify({ hash, preprocessing, taps, parts })).digest('hex');
}
