import { gradientWarning } from '../autodiff/gradient-coverage.ts';
import { LimbeckError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { replaceFiles, requirePlaces } from '../onnx/node-files/replace-files.ts';
import { modelFiles, readModelWithFiles } from '../onnx/node-files.ts';
import { statSync } from '../platform/files.ts';
import { basename, resolve } from '../platform/paths.ts';
import { carriedSpecs } from '../train/carried.ts';
import { type CompiledModel, compileModel } from '../train/compile-model.ts';
import { compileForward } from '../train/compile-step.ts';
import { describeStep, parameterCount } from '../train/describe-step.ts';
import { encodeSafetensors } from '../train/safetensors.ts';
import type { StepDescription } from '../train/step-description.ts';
import { VERSION } from '../version.ts';
import type { CompileOptions, CompileResult } from './api.ts';
import { refuseOverwrite } from './folder/refuse-overwrite.ts';

/**
 * Compiles the training step of an ONNX file into another ONNX file, with a JSON beside it that describes its inputs and
 * outputs (`stepDescriptionSchema`).
 *
 * @throws LimbeckError what reading the model, `compileModel` and writing the files throw.
 * @example
 * await compile('student.onnx', { objectives: [{ kind: 'labels' }], sizes: { batch: 32 }, out: 'step.onnx' });
 */
export async function compile(model: string, options: CompileOptions): Promise<CompileResult> {
  const paths = outputPaths(options);
  const named = Object.values(paths).filter((path) => path !== null);
  requirePlaces(named);
  refuseOverwrite(named, [model]);
  const { graph, files: read } = readModelWithFiles(model);
  refuseOverwrite(named, read);
  const compiled = compileModel(graph, options);
  const description = describeStep(compiled, {
    version: VERSION,
    files: {
      step: basename(paths.step),
      student: basename(model),
      parameters: paths.parameters && basename(paths.parameters),
      forward: paths.forward && basename(paths.forward),
    },
    sizes: options.sizes ?? {},
    maxGradNorm: options.maxGradNorm,
    stepsPerRun: options.stepsPerRun,
  });
  const { step, parameters, forward } = paths;
  const files = [
    ...modelFiles(step, compiled.step.graph),
    ...(parameters
      ? [{ path: parameters, pieces: encodeSafetensors({ tensors: compiled.initial, metadata: {} }) }]
      : []),
    ...(forward ? modelFiles(forward, forwardOf(compiled, graph, options)) : []),
    { path: paths.description, pieces: [utf8.encode(`${JSON.stringify(description, null, 2)}\n`)] },
  ];
  refuseOverwrite(
    files.map(({ path }) => path),
    read,
  );
  replaceFiles(files, { makeFolders: true });
  const names = carriedSpecs(compiled.step.carried, 'parameter').map(({ name }) => name);
  const warning = gradientWarning(graph, names, lost(description.frozen));
  return {
    warnings: warning === undefined ? [] : [warning],
    files: paths,
    description,
    parameters: parameterCount(compiled),
    nodes: compiled.step.graph.nodes.length,
    bytes: statSync(paths.step).size,
  };
}

function forwardOf({ student }: CompiledModel, { outputs }: Graph, { sizes = {} }: CompileOptions): Graph {
  return compileForward(
    student,
    sizes,
    outputs.map(({ name }) => name),
  );
}

/** What does not learn although nobody said so, and is no setting or mask of the model. */
function lost(frozen: StepDescription['frozen']): StepDescription['frozen'] {
  const meant = /^(named by|not named by|a setting|a mask|a single|running statistics)/;
  return frozen.filter(({ reason }) => !meant.test(reason));
}

const utf8 = new TextEncoder();

/** Absolute paths of what is written. */
function outputPaths({ out, parameters, forward }: CompileOptions): CompileResult['files'] {
  if (!/\.onnx$/i.test(out)) {
    throw new LimbeckError('compile.option', `the step's file is '${out}', which does not end in .onnx`, {
      where: '--out',
      remedy: 'Name it STEP.onnx; its description is written to STEP.json.',
    });
  }
  return {
    step: resolve(out),
    description: resolve(out.replace(/\.onnx$/i, '.json')),
    parameters: parameters === undefined ? null : resolve(parameters),
    forward: forward === undefined ? null : resolve(forward),
  };
}
