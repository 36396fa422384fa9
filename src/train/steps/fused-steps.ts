import { writeModel } from '../../onnx/write-model.ts';
import { takenFeeds } from '../batch-feeds.ts';
import { type CompiledStep, compileStep } from '../compile-step.ts';
import { SessionsByVariant } from '../sessions-by-variant.ts';
import { type RunnerOptions, STEP_SESSION, type StepResult, type StepRunner } from './step-runner.ts';

/** Each step is one model: forward, loss, backward and update at once. */
export class FusedSteps implements StepRunner {
  readonly carried: StepRunner['carried'];
  readonly #steps: ReadonlyMap<string, CompiledStep>;
  readonly #sessions: SessionsByVariant;

  constructor(options: RunnerOptions) {
    this.#steps = new Map(
      Object.entries(options.variants).map(([variant, sizes]) => [
        variant,
        compileStep({ ...options, sizes }),
      ]),
    );
    const [first] = this.#steps.values() as Iterable<CompiledStep>;
    this.carried = first.carried;
    this.#sessions = new SessionsByVariant((variant) =>
      options.engine.load(writeModel(this.#stepOf(variant).graph), {
        title: 'the training step',
        ...STEP_SESSION,
      }),
    );
  }

  async run(...[batch, settings, buffers]: Parameters<StepRunner['run']>): Promise<StepResult> {
    const { metrics, rowOutputs } = this.#stepOf(batch.variant);
    const session = await this.#sessions.get(batch.variant);
    const wanted = Object.fromEntries([...metrics, ...rowOutputs].map((name) => [name, null]));
    const results = await session.run(
      { ...buffers.feeds, ...takenFeeds(session, { ...batch.feeds, ...settings }) },
      { ...buffers.fetches, ...wanted },
    );
    const rows = rowOutputs.map((name) => [
      name.slice('rows/'.length),
      (results[name].data as Float32Array).subarray(0, batch.rows),
    ]);
    return {
      values: Object.fromEntries(metrics.map((name) => [name, Number(results[name].data[0])])),
      rows: Object.fromEntries(rows),
    };
  }

  release(): Promise<void> {
    return this.#sessions.release();
  }

  #stepOf(variant: string): CompiledStep {
    return this.#steps.get(variant) as CompiledStep;
  }
}
