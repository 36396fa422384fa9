import type { Tensor } from '../onnx/tensor.ts';
import { nodeModule } from '../platform/node-modules.ts';
import { likeliest } from './own-reader.ts';
import { PRECISIONS } from './precisions.ts';
import type { ReaderAnswer, ReaderInput, ReaderKind, ShippedReader } from './shipped-reader.ts';

type Classify = ((
  inputs: readonly unknown[],
  options: { top_k: number },
) => Promise<(ReaderAnswer | ReaderAnswer[])[]>) & {
  readonly tokenizer: (
    texts: readonly string[],
    options: { text_pair: readonly string[]; padding: true; truncation: true },
  ) => object;
  readonly model: ((inputs: object) => Promise<{ logits: Pick<Tensor, 'data' | 'dims'> }>) & {
    readonly config: { readonly id2label: Readonly<Record<string, string>> };
  };
  dispose(): Promise<unknown>;
};

/** Of `@huggingface/transformers`, what is used here: the package is no dependency, so its types are not either. */
interface Transformers {
  readonly env: { readonly version: string };
  readonly RawImage: new (data: Uint8Array, width: number, height: number, channels: number) => unknown;
  pipeline(task: string, model: string, options: object): Promise<unknown>;
}

const PACKAGE = '@huggingface/transformers';

/**
 * `@huggingface/transformers`, where it is installed beside Limbeck; undefined where it is not. Nothing of its global
 * settings is changed: the folder is given by its path.
 *
 * @throws what loading the package throws, when it is installed but broken
 */
export async function transformersReader(): Promise<ReaderKind | undefined> {
  // A page would have to bring it, and it reads folders in Node only.
  if (!nodeModule('node:fs')) return undefined;
  let library: Transformers;
  try {
    library = (await import(/* @vite-ignore */ PACKAGE)) as unknown as Transformers;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${PACKAGE}'`)) return undefined;
    throw error;
  }
  return {
    title: `${PACKAGE} ${library.env.version}`,
    async open({ folder, task, precision, threads }): Promise<ShippedReader> {
      const classify = (await library.pipeline(task, folder, {
        dtype: PRECISIONS[precision].dtype,
        device: 'cpu',
        local_files_only: true,
        session_options: { intraOpNumThreads: threads },
      })) as Classify;
      return {
        async classify(inputs) {
          if (inputs.some(isPair)) return classifyPairs(classify, inputs.filter(isPair));
          const given = inputs.map((input, i) => asGiven(library, input, i));
          const answers = await classify(given, { top_k: 1 });
          return answers.map((answer) => (Array.isArray(answer) ? answer[0] : answer) as ReaderAnswer);
        },
        async close() {
          await classify.dispose();
        },
      };
    },
  };
}

type TextPair = Extract<ReaderInput, { text: string }> & { readonly pair: string };

function isPair(input: ReaderInput): input is TextPair {
  return 'text' in input && input.pair !== undefined;
}

/** A pipeline takes one text a sample; its tokenizer takes two. */
async function classifyPairs(
  { tokenizer, model }: Classify,
  inputs: readonly TextPair[],
): Promise<ReaderAnswer[]> {
  const texts = inputs.map(({ text }) => text);
  const seconds = inputs.map(({ pair }) => pair);
  const { logits } = await model(tokenizer(texts, { text_pair: seconds, padding: true, truncation: true }));
  return likeliest(logits, model.config.id2label);
}

/** Grey images come as they are in a grey file, and as in a colour file, by turns. */
function asGiven({ RawImage }: Transformers, input: ReaderInput, index: number): unknown {
  if ('text' in input) return input.text;
  if ('waveform' in input) return input.waveform;
  const [channels, height, width] = input.dims;
  const given = channels === 1 && index % 2 === 0 ? 1 : 3;
  const plane = height * width;
  const pixels = new Uint8ClampedArray(given * plane);
  for (let place = 0; place < plane; place++) {
    for (let channel = 0; channel < given; channel++)
      pixels[place * given + channel] = input.pixels[(channel % channels) * plane + place] as number;
  }
  return new RawImage(pixels as unknown as Uint8Array, width, height, given);
}
