import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { LimbeckError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { readModelFile, writeModelFile } from '../onnx/node-files.ts';
import { replaceFile } from '../replace-file.ts';
import { type CompiledModel, compileModel } from '../train/compile-model.ts';
import { compileForward } from '../train/compile-step.ts';
import { describeStep, parameterCount } from '../train/describe-step.ts';
import { encodeSafetensors } from '../train/safetensors.ts';
import { VERSION } from '../version.ts';
import type { CompileOptions, CompileResult } from './api.ts';

/**
 * Compiles the training step of an ONNX file into another ONNX file, with a JSON beside it that describes its inputs and
 * outputs (`stepDescriptionSchema`).
 *
 * @throws LimbeckError what reading the model, `compileModel` and writing the files throw.
 * @example
 * await compile('student.onnx', { objectives: [{ kind: 'labels' }], sizes: { batch: 32 }, out: 'step.onnx' });
 */
export async function compile(model: string, options: CompileOptions): Promise<CompileResult> {
  const paths = outputPaths(model, options);
  const graph = readModelFile(model);
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
  writeModelFile(paths.step, compiled.step.graph);
  if (paths.parameters) {
    replaceFile(paths.parameters, encodeSafetensors({ tensors: compiled.initial, metadata: {} }), 'compile');
  }
  if (paths.forward) writeModelFile(paths.forward, forwardOf(compiled, graph, options));
  replaceFile(paths.description, `${JSON.stringify(description, null, 2)}\n`, 'compile');
  return {
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

/** Absolute paths of what is written; an output over another file of the same call is refused. */
function outputPaths(model: string, { out, parameters, forward }: CompileOptions): CompileResult['files'] {
  if (!/\.onnx$/i.test(out)) {
    throw new LimbeckError('compile.option', `the step's file is '${out}', which does not end in .onnx`, {
      where: '--out',
      remedy: 'Name it STEP.onnx; its description is written to STEP.json.',
    });
  }
  const paths = {
    step: resolve(out),
    description: resolve(out.replace(/\.onnx$/i, '.json')),
    parameters: parameters === undefined ? null : resolve(parameters),
    forward: forward === undefined ? null : resolve(forward),
  };
  const all = [resolve(model), ...Object.values(paths).filter((path) => path !== null)];
  const twice = all.find((path, i) => all.indexOf(path) < i);
  if (twice === undefined) return paths;
  throw new LimbeckError('compile.option', `'${basename(twice)}' is named twice`, {
    where: twice,
    remedy: 'Give every file a name of its own.',
  });
}
