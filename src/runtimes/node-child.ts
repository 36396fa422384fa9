import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { identityModel } from '../engine/identity-model.ts';
import { QUIET } from '../engine/ort-session.ts';
import { readRegularText } from '../regular-file.ts';
import type { Assignment, Ran } from './measurement.ts';
import { runInPlace } from './run-in-place.ts';

// A process of its own: its start is cold, its memory is the model's, and a model that ends it ends nothing else.

process.on('disconnect', () => process.exit());
process.once('message', async (message) => {
  const assignment = message as Assignment;
  const into = assignment.profiled ? profileFolder() : undefined;
  try {
    ort.env.logLevel = 'fatal';
    const options = {
      ...QUIET,
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: assignment.threads,
      interOpNumThreads: 1,
    };
    // biome-ignore lint/suspicious/noExplicitAny: the part of the module that is used has narrower types
    const ran = await runInPlace(ort as any, assignment, { ...options, ...into?.options }, identityModel());
    const result: Ran = {
      ...ran,
      title: `onnxruntime-node ${ort.env.versions.node}, Node ${process.versions.node}`,
      warnings: [],
      ...(into && { profile: into.lines() }),
      peakBytes: process.resourceUsage().maxRSS * 1024,
    };
    process.send?.({ result });
  } catch (error) {
    process.send?.({ problem: error instanceof Error ? error.message : String(error) });
  } finally {
    into?.remove();
  }
});

/** A folder of its own for the profile, which this runtime writes into a file. */
function profileFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-profile-'));
  return {
    options: { profileFilePrefix: join(folder, 'profile') },
    lines: () => readdirSync(folder).flatMap((name) => readRegularText(join(folder, name)).split('\n')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
