import {
  arrayTypeOf,
  bytesPerElement,
  DATA_TYPE_CODES,
  type DataType,
  dataTypeFromCode,
} from '../onnx/data-type.ts';
import { elementCount, type Tensor } from '../onnx/tensor.ts';
import { nextTurn } from '../platform/next-turn.ts';
import type { SessionOptions } from './engine.ts';
import { FATAL, type NativeOrt, type OrtCApi, type Pointer } from './ort-c-api.ts';
import type { RawSession } from './session.ts';
import { joinSharedArena } from './shared-arena.ts';

/** GraphOptimizationLevel: ORT_ENABLE_ALL. */
const ALL_OPTIMIZATIONS = 99;

/**
 * A session that is called through ONNX Runtime's C API, with the settings that onnxruntime-node would give it. It writes
 * given outputs where they are. onnxruntime-node writes them there as well, but then copies each into a new array, which the
 * state of a training step does not need: 3 times the parameters (docs/performance.md).
 *
 * Blocks the thread that calls it, as onnxruntime-node does, unless several runs are made at once (`runsAtOnce`) or
 * in the background: those have threads of their own. Throws Error with ONNX Runtime's message.
 */
export function cApiSession(
  ort: NativeOrt,
  model: Uint8Array | string,
  settings: SessionOptions & { readonly threads: number; readonly runsAtOnce?: number },
): RawSession {
  const {
    api,
    run: runInThread,
    environment,
    allocator,
    cpuMemory,
    check,
    take,
    addressOf,
    bytesAt,
    textAt,
  } = ort;
  const leaveArena = settings.sharedMemory ? joinSharedArena(ort) : undefined;
  let session: Pointer | undefined = openSession();
  const inThread = settings.runsAtOnce !== undefined || settings.background === true;
  /** Runs in other threads, with what must not be collected meanwhile: they know addresses alone. */
  const inFlight = new Map<Promise<void>, unknown>();
  const runOptions = take((out) => api.CreateRunOptions(out));
  check(api.RunOptionsSetRunLogSeverityLevel(runOptions, FATAL));
  const inputs = new NativeNames(
    namesOf(session, api.SessionGetInputCount, api.SessionGetInputName),
    addressOf,
  );
  const outputs = new NativeNames(
    namesOf(session, api.SessionGetOutputCount, api.SessionGetOutputName),
    addressOf,
  );

  return {
    inputNames: inputs.names,
    outputNames: outputs.names,
    ...(settings.runsAtOnce !== undefined && { runsAtOnce: settings.runsAtOnce }),
    async run(feeds, fetches) {
      // Timers, signals and progress have their turn between two runs, as with onnxruntime-node.
      if (!inThread) await nextTurn();
      // Native memory that is gone must not be called, even where a release came in between.
      if (!session) throw new Error('the session has been released');
      const wanted = Object.keys(fetches);
      const given = new BigUint64Array(inputs.names.length);
      const results = new BigUint64Array(wanted.length);
      const [givenNames, wantedNames] = [inputs.addresses(inputs.names), outputs.addresses(wanted)];
      try {
        inputs.names.forEach((name, i) => {
          given[i] = valueOver(name, feeds[name] as Tensor);
        });
        wanted.forEach((name, i) => {
          const target = fetches[name];
          if (target) results[i] = valueOver(name, target);
        });
        const call = [
          session,
          runOptions,
          givenNames,
          given,
          given.length,
          wantedNames,
          results.length,
          results,
        ] as const;
        if (inThread) await running(runInThread(...call), [feeds, fetches, ...call]);
        else check(api.Run(...call));
        return Object.fromEntries(
          wanted.map((name, i) => [name, fetches[name] ?? copyOf(results[i] as Pointer)]),
        );
      } finally {
        for (const value of [...given, ...results]) if (value !== 0n) api.ReleaseValue(value);
      }
    },
    async release() {
      if (!session) return;
      const open = session;
      session = undefined;
      await Promise.allSettled(inFlight.keys());
      if (settings.profile !== undefined) {
        const file = take((out) => api.SessionEndProfiling(open, allocator, out));
        check(api.AllocatorFree(allocator, file));
      }
      api.ReleaseSession(open);
      api.ReleaseRunOptions(runOptions);
      leaveArena?.();
    },
  };

  /** Waits for a run, and lets a release wait for it. */
  async function running(run: Promise<void>, held: unknown): Promise<void> {
    inFlight.set(run, held);
    try {
      await run;
    } finally {
      inFlight.delete(run);
    }
  }

  function openSession(): Pointer {
    try {
      return createSession();
    } catch (error) {
      leaveArena?.();
      throw error;
    }
  }

  function createSession(): Pointer {
    const options = take((out) => api.CreateSessionOptions(out));
    try {
      check(api.SetSessionLogSeverityLevel(options, FATAL));
      check(api.SetSessionGraphOptimizationLevel(options, ALL_OPTIMIZATIONS));
      check(api.SetIntraOpNumThreads(options, settings.threads));
      check(api.SetInterOpNumThreads(options, 1));
      if (settings.memoryPattern === false) check(api.DisableMemPattern(options));
      if (settings.spinning === false)
        check(api.AddSessionConfigEntry(options, 'session.intra_op.allow_spinning', '0'));
      if (leaveArena) check(api.AddSessionConfigEntry(options, 'session.use_env_allocators', '1'));
      if (settings.profile !== undefined) check(api.EnableProfiling(options, settings.profile));
      return take((out) =>
        typeof model === 'string'
          ? api.CreateSession(environment, model, options, out)
          : api.CreateSessionFromArray(environment, model, model.byteLength, options, out),
      );
    } finally {
      api.ReleaseSessionOptions(options);
    }
  }

  function namesOf(
    open: Pointer,
    count: OrtCApi['SessionGetInputCount'],
    nameAt: OrtCApi['SessionGetInputName'],
  ): string[] {
    const length = Number(take((out) => count(open, out)));
    return Array.from({ length }, (_, i) => {
      const address = take((out) => nameAt(open, i, allocator, out));
      const name = textAt(address);
      check(api.AllocatorFree(allocator, address));
      return name;
    });
  }

  /** An OrtValue over the memory of a tensor, which must outlive it. */
  function valueOver(name: string, { type, dims, data }: Tensor): Pointer {
    if (Array.isArray(data)) throw new Error(`'${name}' holds strings, which this session does not take`);
    const bytes = elementCount(dims) * bytesPerElement(type);
    // ONNX Runtime is told an address only: a mistake here would be a read or a write beyond the array.
    if (data.byteLength !== bytes || data.BYTES_PER_ELEMENT !== bytesPerElement(type))
      throw new Error(
        `'${name}' says ${type}[${dims}], and its data is a ${data.constructor.name} of ${data.length}`,
      );
    const shape = BigInt64Array.from(dims, BigInt);
    return take((out) =>
      api.CreateTensorWithDataAsOrtValue(
        cpuMemory,
        data,
        bytes,
        shape,
        shape.length,
        DATA_TYPE_CODES[type],
        out,
      ),
    );
  }

  /** What ONNX Runtime made, in memory of our own. */
  function copyOf(value: Pointer): Tensor {
    const info = take((out) => api.GetTensorTypeAndShape(value, out));
    let type: DataType | undefined;
    let dims: number[];
    try {
      type = dataTypeFromCode(Number(take((out) => api.GetTensorElementType(info, out))));
      const rank = Number(take((out) => api.GetDimensionsCount(info, out)));
      const shape = new BigInt64Array(rank);
      check(api.GetDimensions(info, shape, rank));
      dims = Array.from(shape, Number);
    } finally {
      api.ReleaseTensorTypeAndShapeInfo(info);
    }
    if (type === undefined || type === 'string') throw new Error('this session gives numbers only');
    const copy = new (arrayTypeOf(type))(elementCount(dims));
    if (copy.byteLength > 0) {
      const address = take((out) => api.GetTensorMutableData(value, out));
      new Uint8Array(copy.buffer).set(bytesAt(address, copy.byteLength));
    }
    return { type, dims, data: copy };
  }
}

/** Names as C strings. They stay where they are as long as this object does. */
class NativeNames {
  readonly names: readonly string[];
  readonly #addresses = new Map<string, Pointer>();
  /** Keeps the memory from being collected. */
  readonly #texts: readonly Buffer[];

  constructor(names: readonly string[], addressOf: (array: Buffer) => Pointer) {
    this.names = names;
    this.#texts = names.map((name) => Buffer.from(`${name}\0`));
    this.#texts.forEach((text, i) => {
      this.#addresses.set(names[i] as string, addressOf(text));
    });
  }

  /** The array of addresses that a call takes as `const char* const*`. */
  addresses(names: readonly string[]): BigUint64Array {
    return BigUint64Array.from(names, (name) => this.#addresses.get(name) as Pointer);
  }
}
