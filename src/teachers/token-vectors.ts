import type { Engine } from '../engine/engine.ts';
import type { Graph } from '../onnx/graph.ts';
import { int64, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { ATTENTION_MASK, INPUT_IDS } from './teacher-source.ts';

/** Tokens in a call. */
const ROWS = 256;

export interface TokenVectorsOptions {
  readonly engine: Engine;
  /** Inputs `input_ids` and, where it has one, `attention_mask`; one output, float32 [batch, width]. */
  readonly model: Graph;
  readonly vocabularySize: number;
  /** Called before each call of the model; what it throws ends the asking. */
  readonly checkInterrupted?: () => void;
}

/** What a model says of each token of its vocabulary alone, as a text of that one token: float32 [vocabularySize, width]. */
export async function tokenVectors(options: TokenVectorsOptions): Promise<Tensor> {
  const { engine, model, vocabularySize, checkInterrupted } = options;
  const [output] = model.outputs;
  if (!output) throw new Error('the model has no output');
  const session = await engine.load(writeModel(model));
  try {
    let vectors: Float32Array | undefined;
    let width = 0;
    for (let from = 0; from < vocabularySize; from += ROWS) {
      checkInterrupted?.();
      const count = Math.min(ROWS, vocabularySize - from);
      const column = (value: (row: number) => number) =>
        int64(
          Array.from({ length: count }, (_, row) => value(row)),
          [count, 1],
        );
      const columns = { [INPUT_IDS]: column((row) => from + row), [ATTENTION_MASK]: column(() => 1) };
      const feeds = Object.fromEntries(
        Object.entries(columns).filter(([name]) => session.inputNames.includes(name)),
      );
      const said = (await session.run(feeds, { [output.name]: null }))[output.name] as Tensor;
      width = said.dims[1] as number;
      vectors ??= new Float32Array(vocabularySize * width);
      vectors.set(said.data as Float32Array, from * width);
    }
    return { type: 'float32', dims: [vocabularySize, width], data: vectors ?? new Float32Array(0) };
  } finally {
    await session.release();
  }
}
