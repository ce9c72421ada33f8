// SPDX-License-Identifier: Apache-2.0
// day.js SOCKET NAME IMAGE - a day's work with dockerode; prints one outcome a line.
'use strict';
const Docker = require('dockerode');
const tar = require('tar-stream');

const [, , socketPath, NAME, IMAGE] = process.argv;
const docker = new Docker({ socketPath });
const GATED = ['sh', '-c', 'echo first; until [ -e /gate ]; do sleep 0.1; done; echo last'];
const OPEN_GATE = ['sh', '-c', ': > /gate'];

const named = (what) => `${NAME}-${what}`;
const outcome = (...what) => console.log(JSON.stringify(what));

// A stream read as it comes: until(text) waits for a text, end() for the end.
function reader(stream) {
  let seen = '', ended = false, wake = () => {};
  stream.on('data', (block) => { seen += block; wake(); });
  for (const end of ['end', 'close', 'error']) stream.on(end, () => { ended = true; wake(); });
  const wait = async (done) => {
    while (!done() && !ended) await new Promise((resolve) => { wake = resolve; });
    return seen.replace(/[^\x20-\x7e]+/g, ' ').trim();
  };
  return { until: (text) => wait(() => seen.includes(text)), end: () => wait(() => false) };
}

function create(name, command, more = {}) {
  const host = { HostConfig: { NetworkMode: 'none' } };
  return docker.createContainer({ Image: IMAGE, Cmd: command, name: named(name), ...host, ...more });
}

function packed(entries) {
  const pack = tar.pack();
  for (const [name, text] of Object.entries(entries)) pack.entry({ name }, text);
  pack.finalize();
  return pack;
}

async function run() {
  outcome('ping', String(await docker.ping()));
  const box = await create('run', ['grep', 'Seccomp:', '/proc/self/status'], { Tty: true });
  const stream = await box.attach({ stream: true, stdout: true, stderr: true });
  const said = reader(stream);
  await box.start();
  outcome('run', await said.end(), (await box.wait()).StatusCode);
  await box.remove();
  try {
    await docker.getContainer('no-such-container').inspect();
  } catch (error) {
    outcome('missing', error.statusCode);
  }
}

async function typed() {
  const box = await create('typed', ['cat'], { Tty: true, OpenStdin: true, StdinOnce: true });
  const stream = await box.attach({
    stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
  const said = reader(stream);
  await box.start();
  stream.write('typed\n');
  outcome('hijack', (await said.until('typed')).includes('typed'));
  stream.end();
  await box.remove({ force: true });
}

async function logs() {
  const box = await create('logs', GATED, { Tty: true });
  await box.start();
  const said = reader(await box.logs({ follow: true, stdout: true, stderr: true }));
  const early = await said.until('first');
  const exec = await box.exec({ Cmd: OPEN_GATE });
  await exec.start({ Detach: true });
  outcome('logs', early, await said.end(), (await box.wait()).StatusCode);
  await box.remove();
}

async function work() {
  const box = await create('work', ['sleep', '600']);
  await box.start({});
  const exec = await box.exec({ Cmd: ['sh', '-c', 'echo out; exit 4'], AttachStdout: true, Tty: true });
  outcome('exec', await reader(await exec.start({})).end(), (await exec.inspect()).ExitCode);
  await box.putArchive(packed({ note: 'noted' }), { path: '/bin' });
  outcome('get', (await reader(await box.getArchive({ path: '/bin/note' })).end()).includes('noted'));
  await box.update({ CpuShares: 300 });
  await box.rename({ name: named('renamed') });
  outcome('shares', (await box.inspect()).HostConfig.CpuShares, (await box.top()).Processes.length);
  const stats = await box.stats({ stream: true });
  outcome('stats', (await reader(stats).until('cpu_stats')).includes('cpu_stats'));
  stats.destroy();
  await box.commit({ repo: named('image') });
  await box.restart({ t: 0 });
  await box.kill();
  outcome('wait', (await box.wait()).StatusCode);
  await box.remove();
  const image = docker.getImage(named('image'));
  outcome('load', /Loaded image/.test(await reader(await docker.loadImage(await image.get())).end()));
  await image.remove();
}

async function events() {
  const since = Math.floor(Date.now() / 1000) - 1;
  const filters = JSON.stringify({ container: [named('event')] });
  const stream = await docker.getEvents({ since, filters });
  const seen = reader(stream);
  const box = await create('event', ['true']);
  outcome('created', (await seen.until('"create"')).includes('"create"'));
  await box.start();
  outcome('died', (await seen.until('"die"')).includes('"die"'));
  stream.destroy();
  await box.remove();
}

async function images() {
  const context = packed({ Dockerfile: `FROM ${IMAGE}\nENV n=o\n` });
  const log = await reader(await docker.buildImage(context, { t: named('built') })).end();
  outcome('build', log.includes('Successfully tagged'));
  await docker.getImage(named('built')).remove();
  const network = await docker.createNetwork({ Name: named('net') });
  await network.remove();
  await docker.createVolume({ Name: named('vol') });
  await docker.getVolume(named('vol')).remove();
  outcome('df', Object.keys(await docker.df()).includes('Images'));
}

(async () => {
  for (const each of [run, typed, logs, work, events, images]) await each();
  process.exit(0);
})().catch((error) => { console.error(error); process.exit(1); });
