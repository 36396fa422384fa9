import type { Assignment, Feeds, InPlace } from './measurement.ts';

/** What is used of an ONNX Runtime module, in Node as in a page. */
interface Ort {
  readonly InferenceSession: {
    create(model: Uint8Array, options: Record<string, unknown>): Promise<OrtSession>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensor;
}

interface OrtSession {
  readonly outputNames: readonly string[];
  endProfiling(): void;
  run(feeds: Record<string, OrtTensor>, outputs?: readonly string[]): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
  getData?(): Promise<unknown>;
  dispose?(): void;
}

/**
 * Loads a model and times it where it is called. A page gets the text of this function: it uses nothing from outside of itself.
 *
 * @param identity a smallest model, with which the runtime is started before the model's own loading is timed
 */
export async function runInPlace(
  ort: Ort,
  assignment: Assignment,
  options: Record<string, unknown>,
  identity: Uint8Array,
): Promise<InPlace> {
  const { model, one, many, answered, seconds, untimed, profiled } = assignment;
  const began = performance.now();
  const smallest = await ort.InferenceSession.create(identity, options);
  await smallest.release();
  const started = performance.now();
  const session = await ort.InferenceSession.create(
    model,
    profiled ? { ...options, enableProfiling: true } : options,
  );
  const loaded = performance.now();

  const feedsOf = (feeds: Feeds) => {
    const wrapped: Record<string, OrtTensor> = {};
    for (const [name, { type, data, dims }] of Object.entries(feeds))
      wrapped[name] = new ort.Tensor(type, data, dims);
    return wrapped;
  };
  // On a device the call ends when its outputs can be read.
  const call = async (feeds: Record<string, OrtTensor>, wanted: readonly string[] = session.outputNames) => {
    const outputs = await session.run(feeds, wanted);
    for (const output of Object.values(outputs)) if (output.getData) await output.getData();
    return outputs;
  };
  const timed = async (calls: readonly Feeds[]) => {
    const times: number[] = [];
    const prepared = calls.map(feedsOf);
    // Not counted: memory is taken and code is compiled for each length.
    const warm = performance.now() + seconds * 1000;
    for (const feeds of prepared.slice(0, 20)) {
      await call(feeds);
      if (performance.now() > warm) break;
    }
    const end = performance.now() + seconds * 1000;
    for (let i = 0; performance.now() < end || times.length < 5; i++) {
      const before = performance.now();
      await call(prepared[i % prepared.length] as Record<string, OrtTensor>);
      times.push(performance.now() - before);
    }
    return times;
  };

  let firstMs = 0;
  if (!untimed) {
    const before = performance.now();
    await call(feedsOf(one[0] as Feeds));
    firstMs = performance.now() - before;
  }
  const oneTimes = untimed ? [] : await timed(one);
  const manyTimes = untimed || many.length === 0 ? [] : await timed(many);
  const answers: Feeds[] = [];
  for (const feeds of answered) {
    const outputs = await call(feedsOf(feeds), assignment.outputs);
    const read: Record<string, unknown> = {};
    for (const [name, { type, dims, data }] of Object.entries(outputs)) read[name] = { type, dims, data };
    answers.push(read as Feeds);
  }
  if (profiled) session.endProfiling();
  await session.release();
  return {
    startMs: started - began,
    loadMs: loaded - started,
    firstMs,
    one: oneTimes,
    many: manyTimes,
    answers,
  };
}
