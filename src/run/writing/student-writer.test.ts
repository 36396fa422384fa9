import { expect, it } from 'vitest';
import { createNodeEngine } from '../../engine/node.ts';
import { generateTokens } from '../../generate/generate-tokens.ts';
import { sessionDecoder } from '../../generate/session-decoder.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { randomStream } from '../../random.ts';
import { buildGpt2 } from '../../students/gpt2.ts';
import { withKeyValueCache } from '../../students/key-value-cache.ts';
import { trainedTensors, withParameters } from '../../train/step-graph.ts';
import { StudentWriter } from './student-writer.ts';

const engine = createNodeEngine();
const student = buildGpt2(
  { width: 8, heads: 2, layers: 1 },
  { vocabularySize: 13, maxLength: 12, random: randomStream(1, 'student') },
);
/** Weights as large as after a training, so that what is drawn depends on them. */
const weights = (factor: number) =>
  new Map(
    [...trainedTensors(student)].map(([name, { data }]) => [
      name,
      (data as Float32Array).map((x) => factor * x),
    ]),
  );

it('writes with the weights that it is given, as the student with them does', async () => {
  const writer = await StudentWriter.open(engine, student, 12);
  const texts: string[] = [];
  for (const factor of [5, 9]) {
    const session = await engine.load(
      writeModel(withKeyValueCache(withParameters(student, weights(factor)).graph)),
    );
    const [own, plain] = [writer.decoder(weights(factor)), sessionDecoder(session, { maxLength: 12 })];
    const [ids, expected] = [await written(own), await written(plain)];
    expect(ids).toEqual(expected);
    texts.push(ids.join());
    await session.release();
  }
  expect(texts[0]).not.toEqual(texts[1]);
  await writer.release();

  async function written(
    decoder: typeof writer extends StudentWriter ? ReturnType<StudentWriter['decoder']> : never,
  ) {
    const ids: number[] = [];
    const prompts = [[1, 2], [3]];
    for await (const { id } of generateTokens(decoder, prompts, { temperature: 1, seed: 3, maxNewTokens: 6 }))
      ids.push(id);
    return ids;
  }
});
