import type { Engine } from '../src/engine/engine.ts';
import { createNodeEngine } from '../src/engine/node.ts';
import { float32 } from '../src/onnx/tensor.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { randomStream } from '../src/random.ts';
import { adamw } from '../src/train/adamw.ts';
import { calibrate } from '../src/train/calibration/calibrate.ts';
import { type CompiledStep, compileStep, NEXT } from '../src/train/compile-step.ts';
import { isLarge, overwritable } from '../src/train/overwriting.ts';
import { namesAfter, SwapBuffers } from '../src/train/swap-buffers.ts';
import { type BenchModel, benchBatch } from './models.ts';

/** A training step that is ready to run again and again. */
export interface OurStep {
  readonly compiled: CompiledStep;
  /** Makes `count` steps; the milliseconds of each. */
  run(count: number): Promise<number[]>;
  /** The loss of the last step. */
  loss(): number;
  release(): Promise<void>;
}

/** Compiles and loads the step of a model: forward, loss, backward, AdamW, as a training run makes it. */
export async function ourStep(
  model: BenchModel,
  options: { engine?: Engine; profile?: string; calibrated?: boolean } = {},
): Promise<OurStep> {
  const { engine = createNodeEngine(), profile, calibrated = true } = options;
  const student = model.build(randomStream(1, 'student'));
  const trained = {
    student,
    sizes: model.sizes,
    terms: [model.term],
    optimizer: adamw({ weightDecay: 0.01 }),
    overwrites: isLarge(student),
  };
  // As a long training does before its first step.
  const calibration = calibrated ? await calibrate({ ...trained, engine }) : undefined;
  const compiled = compileStep({ ...trained, formulations: calibration?.formulations });
  const names = compiled.carried.map(({ spec }) => spec.name);
  const overwritten: ReadonlySet<string> = trained.overwrites
    ? overwritable([compiled.graph], names, NEXT)
    : new Set();
  const session = await engine.load(writeModel(compiled.graph), {
    spinning: false,
    memoryPattern: false,
    largeFetches: true,
    overwrites: namesAfter(overwritten),
    ...(profile === undefined ? {} : { profile }),
  });
  const buffers = new SwapBuffers(compiled.carried, undefined, overwritten);
  const batch = benchBatch(model, compiled.batchInputs);
  let step = 0;
  let loss = Number.NaN;
  return {
    compiled,
    async run(count) {
      const times: number[] = [];
      for (let i = 0; i < count; i++) {
        const start = performance.now();
        const scalars = { learning_rate: float32([1e-4], []), step: float32([++step], []) };
        const results = await session.run(
          { ...buffers.feeds, ...batch, ...scalars },
          { ...buffers.fetches, loss: null },
        );
        loss = Number(results.loss?.data[0]);
        buffers.swap();
        times.push(performance.now() - start);
      }
      return times;
    },
    loss: () => loss,
    release: () => session.release(),
  };
}
