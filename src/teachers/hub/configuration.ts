import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { readSettingsJson } from '../../settings-file.ts';

/** What a model of a hub is for, as its files say. */
export interface HubTask {
  /** As Hugging Face calls it: `text-classification`. */
  readonly pipeline: string;
  /** What it reads, several joined by `+`. */
  readonly reads: string;
  /** The kind of target that its main output is. */
  readonly target: string;
  /** What says so, for people. */
  readonly said: string;
}

const schema = z.object({
  architectures: z.array(z.string()).nullish().catch(null),
  model_type: z.string().nullish().catch(null),
  problem_type: z.string().nullish().catch(null),
  num_labels: z.int().nullish().catch(null),
  id2label: z.record(z.string(), z.unknown()).nullish().catch(null),
});

/** Models of audio whose classifiers transformers calls ForSequenceClassification. */
const HEARS = /^(wav2vec2|hubert|wavlm|unispeech|sew|data2vec-audio|audio-spectrogram|whisper)/;
const SEES =
  /^(vit|deit|beit|swin|convnext|resnet|mobilenet|mobilevit|efficientnet|dinov2|regnet|levit|cvt|poolformer)/;
const PAIRS = /^(clip|siglip|chinese_clip|align)/;

/**
 * The task of a model, from its `config.json`: `architectures`, `model_type`, `problem_type`. Undefined where it is one that
 * no teacher here has (a language model, question answering), with what the file says.
 *
 * @param embeds whether `modules.json` makes a sentence encoder of it
 * @throws LimbeckError `teacher.config` for a file that is no JSON
 */
export function hubTask(configFile: string, embeds: boolean): { task: HubTask | undefined; said: string } {
  const config = parse(configFile);
  const type = config.model_type ?? '';
  const architecture = config.architectures?.[0] ?? '';
  const said = `${architecture || 'no architecture'}${config.problem_type ? `, ${config.problem_type}` : ''}${embeds ? ', with modules.json' : ''}`;
  const told = (pipeline: string, reads: string, target: string) => ({
    task: { pipeline, reads, target, said },
    said,
  });
  if (embeds) return told('feature-extraction', 'text', 'embedding');
  if (PAIRS.test(type)) return told('zero-shot-image-classification', 'image+text', 'pairs');
  if (/ForAudioFrameClassification$/.test(architecture)) {
    return told('audio-frame-classification', 'audio', 'token-classes');
  }
  if (/For(Sequence|Image|Audio)Classification$/.test(architecture)) {
    const target = targetOf(config);
    if (HEARS.test(type) || /ForAudio/.test(architecture))
      return told('audio-classification', 'audio', target);
    if (/ForImage/.test(architecture)) return told('image-classification', 'image', target);
    return told('text-classification', 'text', target);
  }
  if (/ForTokenClassification$/.test(architecture))
    return told('token-classification', 'text', 'token-classes');
  if (/Model$/.test(architecture)) {
    const reads = HEARS.test(type) ? 'audio' : SEES.test(type) ? 'image' : 'text';
    return told('feature-extraction', reads, 'embedding');
  }
  return { task: undefined, said };
}

function targetOf({ problem_type, num_labels, id2label }: z.output<typeof schema>): string {
  if (problem_type === 'multi_label_classification') return 'classes';
  if (problem_type === 'regression') return 'number';
  // As transformers decides where nothing is said: a single output is a number.
  const outputs = num_labels ?? (id2label ? Object.keys(id2label).length : undefined);
  return problem_type == null && outputs === 1 ? 'number' : 'class';
}

function parse(file: string): z.output<typeof schema> {
  try {
    return schema.parse(readSettingsJson(file));
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    throw new LimbeckError(
      'teacher.config',
      "the teacher's config.json cannot be read: it is no JSON object",
      {
        where: file,
        remedy: 'Take another revision of the model (teacher.revision), or download it again.',
        cause,
      },
    );
  }
}
