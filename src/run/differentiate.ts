import { type DifferentiateOptions, differentiateModel } from '../autodiff/differentiate-model.ts';
import { gradientWarning } from '../autodiff/gradient-coverage.ts';
import type { Unreached } from '../autodiff/why-unreached.ts';
import { LimbeckError } from '../errors.ts';
import { replaceFiles, requirePlaces } from '../onnx/node-files/replace-files.ts';
import { modelFiles, readModelWithFiles } from '../onnx/node-files.ts';
import { resolve } from '../platform/paths.ts';
import { refuseOverwrite } from './folder/refuse-overwrite.ts';

export interface DifferentiateFileOptions extends DifferentiateOptions {
  /** Where the model with the gradients is written. */
  readonly out: string;
}

/** What `differentiate` wrote. */
export interface DifferentiateResult {
  /** The file, absolute. */
  readonly file: string;
  readonly loss: string;
  /** Each has an output `grad/NAME`. */
  readonly differentiated: readonly string[];
  /** These get no gradient. */
  readonly unreached: readonly string[];
  /** The same, and the whole-number weights of a quantised model, with the reason for each. */
  readonly withoutGradient: readonly Unreached[];
  /** What a person should know about them; absent where every weight has a gradient. */
  readonly warning?: string;
  readonly nodes: number;
}

/**
 * Writes an ONNX model that computes the gradients of another one's loss: the same inputs; as outputs the loss and
 * `grad/NAME` for every float initializer that it depends on, or for every name of `wrt`.
 *
 * @throws LimbeckError as `differentiateModel`, and what reading and writing throw; `model.overwrite` when `out` is the
 *   model itself or one of its data files, by whatever name.
 * @example
 * await differentiate('model.onnx', { loss: 'loss', out: 'grad.onnx' });
 */
export async function differentiate(
  model: string,
  { out, ...options }: DifferentiateFileOptions,
): Promise<DifferentiateResult> {
  const file = resolve(out);
  requirePlaces([file]);
  refuseOverwrite([file], [model]);
  const { graph: original, files: read } = readModelWithFiles(model);
  refuseOverwrite([file], read);
  const { graph, differentiated, unreached, withoutGradient } = differentiateModel(original, options);
  const reasons = withoutGradient.slice(0, 10).map(({ name, reason }) => `${name} (${reason})`);
  if (differentiated.length === 0) {
    throw new LimbeckError(
      'train.no-gradient',
      `the loss '${options.loss}' depends on nothing that was asked for`,
      {
        where: reasons.join(', ') || 'the model has no float initializers',
        remedy: 'Name with --wrt what it is computed from: inputs, initializers or inner values.',
      },
    );
  }
  const files = modelFiles(file, graph);
  refuseOverwrite(
    files.map(({ path }) => path),
    read,
  );
  replaceFiles(files, { makeFolders: true });
  const warning = gradientWarning(original, differentiated, withoutGradient);
  return {
    file,
    loss: options.loss,
    differentiated,
    unreached,
    withoutGradient,
    ...(warning !== undefined && { warning }),
    nodes: graph.nodes.length,
  };
}
