import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { existsSync } from '../platform/files.ts';
import { dirname, join } from '../platform/paths.ts';
import { readSettingsJson } from '../settings-file.ts';
import { maskedMean } from './masked-mean.ts';
import { ATTENTION_MASK, SENTENCE_EMBEDDING } from './teacher-source.ts';
import { describeValue } from './text-inputs.ts';

/** How a sentence encoder makes one vector of those of its tokens. */
export interface SentenceModules {
  readonly pooling: 'mean' | 'cls' | 'max' | 'last';
  /** Whether the vector has length 1. */
  readonly normalizes: boolean;
  /** Whether the tokens of a prompt before the text count as those of the text. */
  readonly includesPrompt: boolean;
}

const modulesSchema = z.array(z.object({ type: z.string(), path: z.string().max(100) })).max(16);
const poolingSchema = z.object({
  /** What sentence-transformers writes since version 5.4 in the place of the flags. */
  pooling_mode: z.union([z.string(), z.array(z.string())]).nullish(),
  pooling_mode_cls_token: z.boolean().default(false),
  pooling_mode_mean_tokens: z.boolean().default(false),
  pooling_mode_max_tokens: z.boolean().default(false),
  pooling_mode_lasttoken: z.boolean().default(false),
  pooling_mode_mean_sqrt_len_tokens: z.boolean().default(false),
  pooling_mode_weightedmean_tokens: z.boolean().default(false),
  include_prompt: z.boolean().default(true),
});

/**
 * What the `modules.json` of sentence-transformers (Reimers and Gurevych, 2019) and the `config.json` of its pooling say.
 *
 * @throws LimbeckError `teacher.config` where they cannot be read, or ask for what is not built here (a dense layer, several
 *   poolings at once)
 */
export function readSentenceModules(modulesFile: string): SentenceModules {
  const modules = parse(modulesFile, modulesSchema);
  const known = ({ type }: { type: string }) => /\.(Transformer|Pooling|Normalize)$/.test(type);
  const other = modules.find((module) => !known(module));
  if (other) throw invalid(modulesFile, `it has the module ${other.type}`);
  const pooling = modules.find(({ type }) => type.endsWith('.Pooling'));
  if (!pooling || !/^[\w-]+$/.test(pooling.path)) throw invalid(modulesFile, 'it has no pooling');
  const file = join(dirname(modulesFile), pooling.path, 'config.json');
  if (!existsSync(file)) throw invalid(file, 'it is missing');
  const config = parse(file, poolingSchema);
  const modes = config.pooling_mode == null ? flaggedModes(config) : [config.pooling_mode].flat();
  const [mode] = modes;
  if (mode === undefined || modes.length > 1) throw invalid(file, `it has ${modes.length} ways of pooling`);
  if (!Object.hasOwn(MODES, mode)) throw invalid(file, `it pools by ${mode}, which is not built here`);
  return {
    pooling: MODES[mode] as SentenceModules['pooling'],
    normalizes: modules.some(({ type }) => type.endsWith('.Normalize')),
    includesPrompt: config.include_prompt,
  };
}

/** The names that sentence-transformers has for ways of pooling. */
const MODES: Readonly<Record<string, SentenceModules['pooling']>> = {
  mean: 'mean',
  cls: 'cls',
  max: 'max',
  lasttoken: 'last',
};

/** Ways of pooling that are flagged, by their names. */
function flaggedModes(config: z.output<typeof poolingSchema>): string[] {
  const flags: Readonly<Record<string, boolean>> = {
    mean: config.pooling_mode_mean_tokens,
    cls: config.pooling_mode_cls_token,
    max: config.pooling_mode_max_tokens,
    lasttoken: config.pooling_mode_lasttoken,
    mean_sqrt_len_tokens: config.pooling_mode_mean_sqrt_len_tokens,
    weightedmean: config.pooling_mode_weightedmean_tokens,
  };
  return Object.keys(flags).filter((name) => flags[name]);
}

/** Outputs that hold a vector a token. */
const TOKENS = ['last_hidden_state', 'token_embeddings'];

/** Whether a model has what a sentence encoder's vector is made of. */
export function hasTokenVectors({ outputs }: Pick<Graph, 'outputs'>): boolean {
  return outputs.some(({ name }) => TOKENS.includes(name));
}

/**
 * The model of a sentence encoder with its vector as the only output, `sentence_embedding`, float32 [batch, width].
 *
 * @param model with the inputs of every text teacher (`normalizeTextModel`)
 * @param promptLength first tokens of every text that are left out of its vector
 * @throws LimbeckError `teacher.outputs`; `teacher.config` for the first token of texts without their prompt
 */
export function withSentenceEmbedding(
  model: Graph,
  { pooling, normalizes }: Pick<SentenceModules, 'pooling' | 'normalizes'>,
  where: string,
  promptLength = 0,
): Graph {
  const found = TOKENS.map((name) => model.outputs.find((output) => output.name === name)).find(Boolean);
  const own = model.outputs.find(({ name }) => name === SENTENCE_EMBEDDING);
  if (!found && own) return { ...model, outputs: [own] };
  if (found?.type !== 'float32' || found.shape?.length !== 3) {
    throw new LimbeckError('teacher.outputs', 'the sentence encoder has no vectors of its tokens', {
      where: `${where}: its outputs are ${model.outputs.map(describeValue).join('; ')}`,
      remedy: `Export it with the output ${TOKENS[0]}.`,
    });
  }
  if (promptLength > 0 && pooling === 'cls') throw firstWithoutPrompt(where);
  const g = new GraphBuilder(model.opsets.get(''));
  const bound = new Map(
    model.inputs.map((input) => [input.name, g.input(input.name, 'int64', input.shape ?? [])]),
  );
  const values = g.inline(model, bound);
  const hidden = values.get(found.name) as TypedValue;
  const mask = g.cast(bound.get(ATTENTION_MASK) as TypedValue, 'float32');
  const pooled = poolings[pooling](g, hidden, promptLength > 0 ? without(g, mask, promptLength) : mask);
  g.output(normalizes ? unitLength(g, pooled) : pooled, SENTENCE_EMBEDDING);
  for (const [key, value] of model.metadata) g.setMetadata(key, value);
  return g.build(model.name);
}

type Pool = (g: GraphBuilder, hidden: TypedValue, mask: TypedValue) => TypedValue;

/** As sentence-transformers pools. */
const poolings: Readonly<Record<SentenceModules['pooling'], Pool>> = {
  mean: (g, hidden, mask) => maskedMean(g, hidden, mask, 'pooled_tokens'),
  // The first token of a text, wherever padding is.
  cls: (g, hidden, mask) => picked(g, hidden, mask, (place) => g.equal(place, 1)),
  last: (g, hidden, mask) =>
    picked(g, hidden, mask, (place) => g.equal(place, g.reduceSum(mask, { axes: [1] }))),
  max: (g, hidden, mask) => {
    const padding = g.unsqueeze(g.mul(g.sub(mask, 1), 1e9), [2]);
    return g.reduceMax(g.add(hidden, padding), { axes: [1], keepDims: false });
  },
};

/** A mask, float32 [batch, sequence], without the first tokens of each text, wherever padding is; the last one stays. */
function without(g: GraphBuilder, mask: TypedValue, first: number): TypedValue {
  const place = g.op('CumSum', [mask, g.scalar(1, 'int64')]);
  return g.mul(mask, g.cast(g.greater(place, first), 'float32'));
}

/** The vector of one token a text: where `chosen` is true of its number among the tokens, counted from 1. */
function picked(
  g: GraphBuilder,
  hidden: TypedValue,
  mask: TypedValue,
  chosen: (place: TypedValue) => TypedValue,
): TypedValue {
  const place = g.mul(g.op('CumSum', [mask, g.scalar(1, 'int64')]), mask);
  const weights = g.unsqueeze(g.cast(chosen(place), 'float32'), [1]);
  return g.squeeze(g.matMul(weights, hidden), [1]);
}

function unitLength(g: GraphBuilder, vector: TypedValue): TypedValue {
  const length = g.sqrt(g.reduceSum(g.mul(vector, vector), { axes: [1] }));
  return g.div(vector, g.max(length, 1e-12));
}

/** Some versions of sentence-transformers take the first token of all, some the first after the prompt. */
function firstWithoutPrompt(where: string): LimbeckError {
  return new LimbeckError(
    'teacher.config',
    'the sentence encoder takes the first token of a text and leaves the prompt out (include_prompt: false): versions of sentence-transformers differ on which token that is',
    {
      where: `${where}, with a prompt (teacher.prompt, or the default one of config_sentence_transformers.json)`,
      remedy:
        "Set include_prompt to true in the config.json of its pooling, where the first token of all is meant; or set teacher.prompt to ''.",
    },
  );
}

function parse<T>(file: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(readSettingsJson(file));
  } catch (cause) {
    if (cause instanceof LimbeckError) throw cause;
    throw invalid(file, 'it is not as sentence-transformers writes it', cause);
  }
}

function invalid(file: string, problem: string, cause?: unknown): LimbeckError {
  return new LimbeckError('teacher.config', `the sentence encoder's files cannot be used: ${problem}`, {
    where: file,
    remedy: 'Export its vector as the output sentence_embedding, and move modules.json away.',
    cause,
  });
}
