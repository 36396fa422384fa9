import { writeModel } from '../../onnx/write-model.ts';
import { takenFeeds } from '../batch-feeds.ts';
import { carriedSpecs } from '../carried.ts';
import { type CompiledStep, compileStep, NEXT } from '../compile-step.ts';
import { overwritable } from '../overwriting.ts';
import { SessionsByVariant } from '../sessions-by-variant.ts';
import { namesAfter } from '../swap-buffers.ts';
import { type RunnerOptions, STEP_SESSION, type StepResult, type StepRunner } from './step-runner.ts';

/** Each step is one model: forward, loss, backward and update at once. */
export class FusedSteps implements StepRunner {
  readonly carried: StepRunner['carried'];
  readonly overwritten: StepRunner['overwritten'];
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
    const graphs = [...this.#steps.values()].map(({ graph }) => graph);
    const names = carriedSpecs(this.carried).map(({ name }) => name);
    this.overwritten = options.overwrites ? overwritable(graphs, names, NEXT) : new Set();
    this.#sessions = new SessionsByVariant((variant) =>
      options.engine.load(writeModel(this.#stepOf(variant).graph), {
        title: 'the training step',
        ...STEP_SESSION,
        overwrites: namesAfter(this.overwritten),
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
