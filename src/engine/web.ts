import { LimbeckError } from '../errors.ts';
import { nextTurn } from '../platform/next-turn.ts';
import type { Engine, Provider } from './engine.ts';
import { firstLine, loadError, messageOf } from './ort-errors.ts';
import { type OrtModule, ortSession, QUIET } from './ort-session.ts';
import { type RawSession, sessionOver } from './session.ts';

export interface WebEngineOptions {
  /** The `onnxruntime-web` module, or a function that imports it: nothing is downloaded before the first model. */
  ort: OrtModule | (() => Promise<OrtModule>);
  /** `wasm` by default; `webgpu` needs the module `onnxruntime-web/webgpu`. */
  provider?: Extract<Provider, 'wasm' | 'webgpu'>;
  /** Threads of the WebAssembly backend: more than 1 needs a cross-origin isolated page. 1 by default. */
  threads?: number;
}

/**
 * The engine of a browser: onnxruntime-web, given by the caller, so that the core depends on no build of it.
 * `Session.run` copies feeds and fetches to and from the WebAssembly memory.
 *
 * @example
 * const engine = createWebEngine({ ort: () => import('onnxruntime-web/wasm') });
 */
export function createWebEngine({ ort: source, provider = 'wasm', threads = 1 }: WebEngineOptions): Engine {
  let loaded: Promise<OrtModule> | undefined;
  return {
    title: `onnxruntime-web, ${provider}`,
    provider,
    async load(model, options = {}) {
      const title = options.title ?? (typeof model === 'string' ? model : 'the model');
      loaded ??= typeof source === 'function' ? source() : Promise.resolve(source);
      let ort: OrtModule;
      try {
        ort = await loaded;
      } catch (cause) {
        loaded = undefined;
        throw new LimbeckError(
          'engine.provider',
          `onnxruntime-web does not load: ${firstLine(messageOf(cause))}`,
          { remedy: 'Check that its script and .wasm files are served.', cause },
        );
      }
      ort.env.logLevel = 'fatal';
      // One thread pool for all sessions, made with the first of them.
      ort.env.wasm.numThreads = options.threads ?? threads;
      const settings = { ...QUIET, executionProviders: [provider], graphOptimizationLevel: 'all' } as const;
      try {
        const inner =
          typeof model === 'string'
            ? await ort.InferenceSession.create(model, settings)
            : await ort.InferenceSession.create(model, settings);
        // onnxruntime-web 1.30 takes tensors for outputs, but leaves them as they were (WebAssembly).
        const session = withTurns(ortSession(ort, inner, { writesInPlace: false }));
        return sessionOver(session, title, options.overwrites);
      } catch (cause) {
        if (/no available backend found/.test(messageOf(cause))) {
          throw new LimbeckError(
            'engine.provider',
            `the '${provider}' provider does not start here: ${firstLine(messageOf(cause))}`,
            { remedy: 'Use the wasm engine, and check that its .wasm files are served.', cause },
          );
        }
        throw loadError(cause, title);
      }
    },
  };
}

/** A page is to answer its user at least so often (milliseconds). */
const LONGEST_WORK = 40;
let lastTurn = 0;

/** WebAssembly runs in the thread that asks, and its promise is resolved at once: without turns a training would be all that a page does. */
function withTurns(session: RawSession): RawSession {
  return {
    ...session,
    async run(feeds, fetches) {
      const outputs = await session.run(feeds, fetches);
      if (performance.now() - lastTurn > LONGEST_WORK) {
        await nextTurn();
        lastTurn = performance.now();
      }
      return outputs;
    },
  };
}
