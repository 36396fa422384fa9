import type koffi from 'koffi';
import { PLATFORM } from '../platform/machine.ts';
import { nodePackage, packageFile } from '../platform/node-modules.ts';
import { dirname, join } from '../platform/paths.ts';

/** An address in native memory; 0n is NULL. */
export type Pointer = bigint;

/** Native memory that is given to a call: an address, or an array whose own memory is read and written. */
type Memory = Pointer | NodeJS.TypedArray;

/** Status of a call: NULL when it went well. */
type Status = Pointer | null;

/**
 * The part of ONNX Runtime's C API that a session needs. Names and arguments are those of `onnxruntime_c_api.h`; `out`
 * stands for memory of 8 bytes where the call writes an address or a number.
 */
export interface OrtCApi {
  GetErrorMessage(status: Pointer): string;
  CreateEnv(logLevel: number, name: string, out: Memory): Status;
  CreateSession(env: Pointer, path: string, options: Pointer, out: Memory): Status;
  CreateSessionFromArray(env: Pointer, model: Memory, bytes: number, options: Pointer, out: Memory): Status;
  Run(
    session: Pointer,
    options: Pointer,
    inputNames: Memory,
    inputs: Memory,
    inputCount: number,
    outputNames: Memory,
    outputCount: number,
    outputs: Memory,
  ): Status;
  CreateSessionOptions(out: Memory): Status;
  EnableProfiling(options: Pointer, prefix: string): Status;
  DisableMemPattern(options: Pointer): Status;
  SetSessionLogSeverityLevel(options: Pointer, level: number): Status;
  SetSessionGraphOptimizationLevel(options: Pointer, level: number): Status;
  SetIntraOpNumThreads(options: Pointer, threads: number): Status;
  SetInterOpNumThreads(options: Pointer, threads: number): Status;
  SessionGetInputCount(session: Pointer, out: Memory): Status;
  SessionGetOutputCount(session: Pointer, out: Memory): Status;
  SessionGetInputName(session: Pointer, index: number, allocator: Pointer, out: Memory): Status;
  SessionGetOutputName(session: Pointer, index: number, allocator: Pointer, out: Memory): Status;
  CreateRunOptions(out: Memory): Status;
  RunOptionsSetRunLogSeverityLevel(options: Pointer, level: number): Status;
  CreateTensorWithDataAsOrtValue(
    info: Pointer,
    data: Memory,
    bytes: number,
    shape: Memory,
    rank: number,
    type: number,
    out: Memory,
  ): Status;
  GetTensorMutableData(value: Pointer, out: Memory): Status;
  GetTensorElementType(info: Pointer, out: Memory): Status;
  GetDimensionsCount(info: Pointer, out: Memory): Status;
  GetDimensions(info: Pointer, dims: Memory, count: number): Status;
  GetTensorTypeAndShape(value: Pointer, out: Memory): Status;
  CreateCpuMemoryInfo(allocatorType: number, memoryType: number, out: Memory): Status;
  AllocatorFree(allocator: Pointer, memory: Pointer): Status;
  GetAllocatorWithDefaultOptions(out: Memory): Status;
  ReleaseStatus(status: Pointer): void;
  ReleaseSession(session: Pointer): void;
  ReleaseValue(value: Pointer): void;
  ReleaseRunOptions(options: Pointer): void;
  ReleaseTensorTypeAndShapeInfo(info: Pointer): void;
  ReleaseSessionOptions(options: Pointer): void;
  SessionEndProfiling(session: Pointer, allocator: Pointer, out: Memory): Status;
  AddSessionConfigEntry(options: Pointer, key: string, value: string): Status;
  CreateAndRegisterAllocator(env: Pointer, info: Pointer, arena: Pointer): Status;
  UnregisterAllocator(env: Pointer, info: Pointer): Status;
}

/** A path, as this platform's libraries take it (ORTCHAR_T). */
const PATH = PLATFORM.startsWith('win32') ? 'str16' : 'str';

/**
 * Where a function stands in the table `OrtApi`, its arguments, and what it returns: a status where nothing is said. The
 * table is only ever added to at its end, which ONNX Runtime's own build asserts (onnxruntime_c_api.cc).
 */
const FUNCTIONS: Readonly<Record<keyof OrtCApi, readonly [position: number, args: string, result?: string]>> =
  {
    GetErrorMessage: [2, 'void*', 'str'],
    CreateEnv: [3, 'int str void*'],
    CreateSession: [7, `void* ${PATH} void* void*`],
    CreateSessionFromArray: [8, 'void* void* size_t void* void*'],
    Run: [9, 'void* void* void* void* size_t void* size_t void*'],
    CreateSessionOptions: [10, 'void*'],
    EnableProfiling: [14, `void* ${PATH}`],
    DisableMemPattern: [17, 'void*'],
    SetSessionLogSeverityLevel: [22, 'void* int'],
    SetSessionGraphOptimizationLevel: [23, 'void* int'],
    SetIntraOpNumThreads: [24, 'void* int'],
    SetInterOpNumThreads: [25, 'void* int'],
    SessionGetInputCount: [30, 'void* void*'],
    SessionGetOutputCount: [31, 'void* void*'],
    SessionGetInputName: [36, 'void* size_t void* void*'],
    SessionGetOutputName: [37, 'void* size_t void* void*'],
    CreateRunOptions: [39, 'void*'],
    RunOptionsSetRunLogSeverityLevel: [41, 'void* int'],
    CreateTensorWithDataAsOrtValue: [49, 'void* void* size_t void* size_t int void*'],
    GetTensorMutableData: [51, 'void* void*'],
    GetTensorElementType: [60, 'void* void*'],
    GetDimensionsCount: [61, 'void* void*'],
    GetDimensions: [62, 'void* void* size_t'],
    GetTensorTypeAndShape: [65, 'void* void*'],
    CreateCpuMemoryInfo: [69, 'int int void*'],
    AllocatorFree: [76, 'void* void*'],
    GetAllocatorWithDefaultOptions: [78, 'void*'],
    ReleaseStatus: [93, 'void*', 'void'],
    ReleaseSession: [95, 'void*', 'void'],
    ReleaseValue: [96, 'void*', 'void'],
    ReleaseRunOptions: [97, 'void*', 'void'],
    ReleaseTensorTypeAndShapeInfo: [99, 'void*', 'void'],
    ReleaseSessionOptions: [100, 'void*', 'void'],
    SessionEndProfiling: [110, 'void* void* void*'],
    AddSessionConfigEntry: [130, 'void* str str'],
    CreateAndRegisterAllocator: [144, 'void* void* void*'],
    UnregisterAllocator: [177, 'void* void*'],
  };
/** The version of the C API that FUNCTIONS was written for; later ONNX Runtimes have it as well. */
const API_VERSION = 22;

/** OrtLoggingLevel ORT_LOGGING_LEVEL_FATAL: what goes wrong is thrown. */
export const FATAL = 4;
/** OrtAllocatorType and OrtMemType of memory that belongs to the caller. */
const [ARENA_ALLOCATOR, DEFAULT_MEMORY] = [1, 0];
/** Bytes of the stack of a call; koffi gives a megabyte, a thread's own has 8. */
const STACK = 8 * 1024 * 1024;

/** ONNX Runtime's C API, what its calls need, and how its memory is looked at. */
export interface NativeOrt {
  readonly api: OrtCApi;
  readonly environment: Pointer;
  readonly allocator: Pointer;
  /** The description of memory that belongs to JavaScript. */
  readonly cpuMemory: Pointer;
  /** `Run` on a thread of its own; what is given must stay where it is until then. Throws as `check`. */
  run(...args: Parameters<OrtCApi['Run']>): Promise<void>;
  /** Throws Error with the message of a status. */
  check(status: Status): void;
  /** What a call writes to the 8 bytes that it is given. Throws as `check`. */
  take(call: (out: BigUint64Array) => Status): Pointer;
  /** Where the memory of an array begins. */
  addressOf(array: NodeJS.TypedArray): Pointer;
  /** The bytes at an address; they are ONNX Runtime's, and valid as long as it keeps them. */
  bytesAt(address: Pointer, length: number): Uint8Array;
  /** The text at an address that ends with a 0. */
  textAt(address: Pointer): string;
}

let loaded: NativeOrt | null | undefined;

/**
 * The C API of the library that onnxruntime-node brought, called through koffi; undefined where koffi is not installed (it
 * is an optional dependency), or has no build for this platform.
 */
export function nativeOrt(): NativeOrt | undefined {
  if (loaded === undefined) {
    try {
      loaded = load();
    } catch {
      loaded = null;
    }
  }
  return loaded ?? undefined;
}

function load(): NativeOrt {
  // Its V8 takes no arrays over memory that is not its own (`bytesAt`).
  if (process.versions.electron) throw new Error('not in Electron');
  const ffi = nodePackage<typeof koffi>('koffi', import.meta.url);
  ffi.config({ ...ffi.config(), sync_stack_size: STACK, async_stack_size: STACK });
  const library = ffi.load(
    libraryPath(dirname(packageFile('onnxruntime-node/package.json', import.meta.url))),
  );
  const base: Pointer = library.func('OrtGetApiBase', 'void*', [])();
  const [getApi] = ffi.decode(base, 'void*', 1) as Pointer[];
  const table: Pointer | null = ffi.call(getApi, ffi.proto('void*', ['uint32']), API_VERSION);
  if (!table) throw new Error(`this ONNX Runtime has no C API of version ${API_VERSION}`);
  const count = 1 + Math.max(...Object.values(FUNCTIONS).map(([position]) => position));
  const addresses = ffi.decode(table, 'void*', count) as Pointer[];
  const entries = Object.entries(FUNCTIONS).map(([name, [position, args, result = 'void*']]) => {
    const prototype = ffi.proto(result, args.split(' '));
    return [name, (...values: unknown[]) => ffi.call(addresses[position], prototype, ...values)] as const;
  });
  const api = Object.fromEntries(entries) as unknown as OrtCApi;
  const [position, args] = FUNCTIONS.Run;
  const inThread: { async(...args: unknown[]): void } = ffi.decode(
    addresses[position] as Pointer,
    ffi.proto('void*', args.split(' ')),
  );
  const check = (status: Status) => {
    if (!status) return;
    const message = api.GetErrorMessage(status);
    api.ReleaseStatus(status);
    throw new Error(message);
  };
  const take = (call: (out: BigUint64Array) => Status) => {
    const out = new BigUint64Array(1);
    check(call(out));
    return out[0] as Pointer;
  };
  return {
    api,
    run: (...given) =>
      new Promise((resolve, reject) => {
        inThread.async(...given, (error: unknown, status: Status) => {
          try {
            if (error) throw error;
            check(status);
            resolve();
          } catch (cause) {
            reject(cause as Error);
          }
        });
      }),
    environment: take((out) => api.CreateEnv(FATAL, 'limbeck', out)),
    allocator: take((out) => api.GetAllocatorWithDefaultOptions(out)),
    cpuMemory: take((out) => api.CreateCpuMemoryInfo(ARENA_ALLOCATOR, DEFAULT_MEMORY, out)),
    check,
    take,
    addressOf: (array) => ffi.address(array),
    bytesAt: (address, length) => new Uint8Array(ffi.view(address, length)),
    textAt: (address) => ffi.decode.string(address),
  };
}

function libraryPath(onnxruntimeNode: string): string {
  const { platform, arch } = process;
  const file =
    platform === 'win32'
      ? 'onnxruntime.dll'
      : platform === 'darwin'
        ? 'libonnxruntime.1.dylib'
        : 'libonnxruntime.so.1';
  return join(onnxruntimeNode, 'bin', 'napi-v6', platform, arch, file);
}
