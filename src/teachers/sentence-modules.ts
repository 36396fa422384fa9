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
}

const modulesSchema = z.array(z.object({ type: z.string(), path: z.string().max(100) })).max(16);
const poolingSchema = z.object({
  pooling_mode_cls_token: z.boolean().default(false),
  pooling_mode_mean_tokens: z.boolean().default(false),
  pooling_mode_max_tokens: z.boolean().default(false),
  pooling_mode_lasttoken: z.boolean().default(false),
  pooling_mode_mean_sqrt_len_tokens: z.boolean().default(false),
  pooling_mode_weightedmean_tokens: z.boolean().default(false),
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
  if (config.pooling_mode_mean_sqrt_len_tokens || config.pooling_mode_weightedmean_tokens) {
    throw invalid(file, 'it pools by weights of the places, which is not built here');
  }
  const modes = [
    ...(config.pooling_mode_mean_tokens ? (['mean'] as const) : []),
    ...(config.pooling_mode_cls_token ? (['cls'] as const) : []),
    ...(config.pooling_mode_max_tokens ? (['max'] as const) : []),
    ...(config.pooling_mode_lasttoken ? (['last'] as const) : []),
  ];
  const [mode] = modes;
  if (!mode || modes.length > 1) throw invalid(file, `it has ${modes.length} ways of pooling`);
  return { pooling: mode, normalizes: modules.some(({ type }) => type.endsWith('.Normalize')) };
}

/** Outputs that hold a vector a token. */
const TOKENS = ['last_hidden_state', 'token_embeddings'];

/**
 * The model of a sentence encoder with its vector as the only output, `sentence_embedding`, float32 [batch, width].
 *
 * @param model with the inputs of every text teacher (`normalizeTextModel`)
 * @throws LimbeckError `teacher.outputs`
 */
export function withSentenceEmbedding(
  model: Graph,
  { pooling, normalizes }: SentenceModules,
  where: string,
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
  const g = new GraphBuilder(model.opsets.get(''));
  const bound = new Map(
    model.inputs.map((input) => [input.name, g.input(input.name, 'int64', input.shape ?? [])]),
  );
  const values = g.inline(model, bound);
  const hidden = values.get(found.name) as TypedValue;
  const mask = g.cast(bound.get(ATTENTION_MASK) as TypedValue, 'float32');
  const pooled = poolings[pooling](g, hidden, mask);
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
