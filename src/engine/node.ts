import type * as ort from 'onnxruntime-node';
import { LimbeckError } from '../errors.ts';
import { PLATFORM } from '../platform/machine.ts';
import { nodePackage } from '../platform/node-modules.ts';
import { cApiSession } from './c-api-session.ts';
import type { Engine, Provider, SessionOptions } from './engine.ts';
import { identityModel } from './identity-model.ts';
import { nativeOrt } from './ort-c-api.ts';
import { firstLine, loadError, messageOf } from './ort-errors.ts';
import { ortSession, QUIET } from './ort-session.ts';
import { sessionOver } from './session.ts';
import { defaultThreads, sharedThreads } from './thread-count.ts';

export interface NodeEngineOptions {
  /** `cpu` by default. `cuda` needs ONNX Runtime's CUDA libraries, `webgpu` an adapter. */
  provider?: Provider;
  /** Threads inside one operator, for sessions that do not say; LIMBECK_THREADS or the machine's cores by default. */
  threads?: number;
  /**
   * Whether sessions with large fetches, and those that make several runs at once, are called through ONNX Runtime's C API, where koffi is installed (true). The
   * results are the same bits; onnxruntime-node copies such fetches.
   */
  cApi?: boolean;
}

/**
 * The engine of Node: onnxruntime-node, or the library that it brings.
 *
 * `Session.run` reads feeds and writes given fetches in place, and blocks the thread that calls it while the model
 * runs (that is how onnxruntime-node works): other work of this thread waits, native threads do not.
 * Throws LimbeckError `engine.provider` here for a provider that this build lacks, and in `load` for one
 * whose libraries or device are missing.
 *
 * @example
 * const engine = createNodeEngine();
 * const session = await engine.load(model);
 * const { logits } = await session.run({ input_ids: int64([1, 2, 3], [1, 3]) });
 */
export function createNodeEngine({ provider = 'cpu', threads, cApi = true }: NodeEngineOptions = {}): Engine {
  const ort = onnxruntimeNode();
  const supported = ort.listSupportedBackends().map((backend) => backend.name);
  if (!supported.includes(provider)) {
    throw new LimbeckError(
      'engine.provider',
      `onnxruntime-node has no '${provider}' provider on ${PLATFORM}`,
      { where: `available: ${supported.join(', ')}`, remedy: 'Use another engine, for example cpu.' },
    );
  }
  // Has an effect before the process's first session only; sessions are told again below.
  ort.env.logLevel = 'fatal';
  return {
    title: `onnxruntime-node ${ort.env.versions.node}, ${provider}`,
    provider,
    async load(model, options = {}) {
      const title = options.title ?? (typeof model === 'string' ? model : 'the model');
      const settings = sessionSettings(provider, { threads, ...options });
      try {
        const all = options.threads ?? threads ?? defaultThreads();
        const isParallel = options.parallel && all > 1;
        const wanted = options.largeFetches || options.sharedMemory || isParallel;
        const native = cApi && provider === 'cpu' && wanted ? nativeOrt() : undefined;
        if (native && (isParallel || typeof model !== 'string')) {
          const own = { ...options, ...(isParallel ? sharedThreads(all) : { threads: all }) };
          return sessionOver(cApiSession(native, model, own), title, options.overwrites);
        }
        const inner =
          typeof model === 'string'
            ? await ort.InferenceSession.create(model, settings)
            : await ort.InferenceSession.create(model, settings);
        const end = options.profile === undefined ? {} : { end: () => inner.endProfiling() };
        return sessionOver(
          ortSession(ort, inner, { writesInPlace: true, ...end }),
          title,
          options.overwrites,
        );
      } catch (cause) {
        await checkProvider(provider, cause);
        throw loadError(cause, title);
      }
    },
  };
}

/** Loaded with the first engine: a page loads this module, and never that package. */
function onnxruntimeNode(): typeof ort {
  return nodePackage<typeof ort>('onnxruntime-node', import.meta.url);
}

function sessionSettings(provider: Provider, options: SessionOptions): ort.InferenceSession.SessionOptions {
  return {
    ...QUIET,
    executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    enableMemPattern: options.memoryPattern ?? true,
    intraOpNumThreads: options.threads ?? defaultThreads(),
    interOpNumThreads: 1,
    ...(options.spinning === false ? { extra: { session: { intra_op: { allow_spinning: '0' } } } } : {}),
    ...(options.profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profile }),
  };
}

/** Throws `engine.provider` when not even the smallest model loads on it: then the model was not at fault. */
async function checkProvider(provider: Provider, cause: unknown): Promise<void> {
  if (provider === 'cpu') return;
  try {
    const session = await onnxruntimeNode().InferenceSession.create(
      identityModel(),
      sessionSettings(provider, { threads: 1 }),
    );
    await session.release();
  } catch {
    throw new LimbeckError(
      'engine.provider',
      `the '${provider}' provider does not start here: ${firstLine(messageOf(cause))}`,
      {
        where: `${PLATFORM}`,
        remedy:
          provider === 'cuda'
            ? "Install ONNX Runtime's CUDA libraries (see its install page for Node), or use the cpu engine."
            : 'Check the graphics driver (WebGPU needs Vulkan, Metal or Direct3D 12), or use the cpu engine.',
        cause,
      },
    );
  }
}
