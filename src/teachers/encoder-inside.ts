import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { upgradeOpset } from '../onnx/passes/upgrade-opset/upgrade-opset.ts';
import { readSettingsJson } from '../settings-file.ts';
import { fileOf, type ModelFiles } from './model-folder.ts';
import { SENTENCE_EMBEDDING, type TextTeacherSource } from './teacher-source.ts';
import { openUseLite } from './use-lite/open.ts';

const schema = z.object({ limbeck: z.object({ encoder: z.literal('use-lite') }) });

/**
 * The encoder that a model reads the vectors of, where its file holds only what was trained (`onnx/trained_model.onnx`):
 * the one that `config.json` names, from its npm package. Undefined for a model that reads texts itself.
 *
 * @throws LimbeckError `teacher.inputs` where nothing says which encoder it is, and what opening the encoder throws
 */
export async function encoderInside(
  { inputs }: Graph,
  files: ModelFiles,
): Promise<TextTeacherSource | undefined> {
  if (!inputs.some(({ name }) => name === SENTENCE_EMBEDDING)) return undefined;
  const config = fileOf(files, 'config.json');
  if (config !== undefined && schema.safeParse(readSettingsJson(config)).success) return openUseLite();
  throw new LimbeckError('teacher.inputs', `the model reads vectors of texts ('${SENTENCE_EMBEDDING}')`, {
    where: `${files.model}: nothing says which encoder makes them`,
    remedy:
      'Name the whole model (onnx/model.onnx), or lay the config.json beside it that its training left (limbeck.encoder).',
  });
}

/** A model over the vectors of texts with the encoder that makes them: it reads texts. */
export function withEncoder(graph: Graph, { model, embeddingOutput }: TextTeacherSource): Graph {
  const opset = Math.max(graph.opsets.get('') ?? 0, model.opsets.get('') ?? 0);
  const g = new GraphBuilder(opset);
  const given = (part: Graph) =>
    part.inputs
      .filter(({ name }) => name !== SENTENCE_EMBEDDING)
      .map(({ name, type, shape }): [string, TypedValue] => [
        name,
        g.input(name, type as NonNullable<typeof type>, shape ?? []),
      ]);
  const made = g.inline(upgradeOpset(model, opset), new Map(given(model)), 'encoder/');
  const vectors = made.get(embeddingOutput as string) as TypedValue;
  const values = g.inline(
    upgradeOpset(graph, opset),
    new Map([...given(graph), [SENTENCE_EMBEDDING, vectors]]),
  );
  for (const { name } of graph.outputs) g.output(values.get(name) as TypedValue);
  return g.build(graph.name);
}
