import type { Cell } from '../model/cell.ts';
import { type Gate, isPlaceGate, placeText } from '../model/gate.ts';
import type { PlanStep } from '../model/plan.ts';
import type { TreeEdit } from '../model/tree-edit.ts';

/** One thing that a cell does to a boot and that can be left out. */
export type Condition =
  | { readonly condition: 'tree'; readonly edit: TreeEdit }
  /** One name of `driver_async_probe=`, or the module parameter `async_probe=1`. */
  | { readonly condition: 'async'; readonly driver: string; readonly by: 'driver_async_probe' | 'async_probe' }
  | { readonly condition: 'bootarg'; readonly word: string }
  | { readonly condition: 'gate'; readonly gate: Gate }
  | { readonly condition: 'module-parameter'; readonly module: string; readonly parameter: string }
  /** The modules are loaded in this order and not in `usual`. */
  | { readonly condition: 'load-order'; readonly order: readonly string[]; readonly usual: readonly string[] }
  /** A step of the plan other than a wait: `at` is its place in the cell's plan. */
  | { readonly condition: 'step'; readonly at: number; readonly step: PlanStep }
  | { readonly condition: 'cpus'; readonly cpus: number }
  | { readonly condition: 'shift'; readonly shift: number };

/** What a cell is without any condition: one processor and the usual interleaving. */
export interface Usual {
  readonly cpus: number;
  readonly shift: number;
  /** Load order that a plan falls back to, or null to leave load orders alone. Must hold the plan's own modules. */
  readonly loadOrder: readonly string[] | null;
}

/** Kernel parameter with a list of driver names to probe asynchronously (admin-guide/kernel-parameters.txt). */
const DRIVER_ASYNC_PROBE = 'driver_async_probe=';
/** Parameter of every module, handled by the module loader (kernel/module/main.c, unknown_module_param_cb()). */
const MODULE_ASYNC_PROBE = /^async_probe(?:=(?:1|y|Y|on))?$/;

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

/** Modules that a plan loads, in its order. */
export function loadsOf(plan: readonly PlanStep[]): string[] {
  return plan.flatMap((step) => (step.step === 'load' ? [step.module] : []));
}

/**
 * Takes `cell` apart into conditions, in the order in which a reader would try to leave them out. A plan's waits and
 * loads stay: without a load there is no driver to probe.
 */
export function conditionsOf(cell: Cell, usual: Usual): Condition[] {
  const found: Condition[] = cell.tree.map((edit) => ({ condition: 'tree', edit }));
  if (cell.cpus !== usual.cpus) found.push({ condition: 'cpus', cpus: cell.cpus });
  if (cell.shift !== usual.shift) found.push({ condition: 'shift', shift: cell.shift });
  for (const word of cell.bootargs) {
    if (!word.startsWith(DRIVER_ASYNC_PROBE)) {
      found.push({ condition: 'bootarg', word });
      continue;
    }
    for (const driver of asyncNames(word)) found.push({ condition: 'async', driver, by: 'driver_async_probe' });
  }
  const order = loadsOf(cell.plan);
  if (usual.loadOrder !== null) {
    const expected = usual.loadOrder.filter((module) => order.includes(module));
    if (expected.length === order.length && expected.join() !== order.join()) {
      found.push({ condition: 'load-order', order, usual: expected });
    }
  }
  for (const [at, step] of cell.plan.entries()) {
    if (step.step === 'load') {
      for (const parameter of words(step.params)) {
        found.push(
          MODULE_ASYNC_PROBE.test(parameter)
            ? { condition: 'async', driver: step.module, by: 'async_probe' }
            : { condition: 'module-parameter', module: step.module, parameter },
        );
      }
    } else if (isAction(step)) {
      found.push({ condition: 'step', at, step });
    }
  }
  for (const gate of cell.gates) found.push({ condition: 'gate', gate });
  return found;
}

const ACTIONS: readonly PlanStep['step'][] = [
  ...(['unload', 'autoprobe', 'probe', 'bind', 'unbind', 'write', 'read', 'override'] as const),
  ...(['rescan', 'suspend', 'answer', 'shutdown', 'reboot'] as const),
];

/** Steps that change something; waiting for something to happen does not. */
function isAction(step: PlanStep): boolean {
  return ACTIONS.includes(step.step);
}

/** `cell` with those of its conditions that are in `kept`, and without the others. */
export function cellWith(cell: Cell, kept: readonly Condition[], usual: Usual): Cell {
  const drivers = kept.flatMap((one) =>
    one.condition === 'async' && one.by === 'driver_async_probe' ? [one.driver] : [],
  );
  const bootargs = cell.bootargs.filter((word) => kept.some((one) => one.condition === 'bootarg' && one.word === word));
  if (drivers.length > 0) bootargs.push(DRIVER_ASYNC_PROBE + drivers.join(','));
  const steps = cell.plan.flatMap((step, at): PlanStep[] => {
    if (step.step === 'load') return [{ ...step, params: keptParameters(step.module, step.params, kept) }];
    if (!isAction(step)) return [step];
    return kept.some((one) => one.condition === 'step' && one.at === at) ? [step] : [];
  });
  const reordered = kept.some((one) => one.condition === 'load-order');
  return {
    ...cell,
    tree: kept.flatMap((one) => (one.condition === 'tree' ? [one.edit] : [])),
    bootargs,
    cpus: kept.find((one) => one.condition === 'cpus')?.cpus ?? usual.cpus,
    shift: kept.find((one) => one.condition === 'shift')?.shift ?? usual.shift,
    gates: kept.flatMap((one) => (one.condition === 'gate' ? [one.gate] : [])),
    plan: reordered || usual.loadOrder === null ? steps : inLoadOrder(steps, usual.loadOrder),
  };
}

function keptParameters(module: string, params: string, kept: readonly Condition[]): string {
  return words(params)
    .filter((parameter) =>
      kept.some((one) =>
        MODULE_ASYNC_PROBE.test(parameter)
          ? one.condition === 'async' && one.by === 'async_probe' && one.driver === module
          : one.condition === 'module-parameter' && one.module === module && one.parameter === parameter,
      ),
    )
    .join(' ');
}

/** `plan` with its load steps, where they stand, put into the order of `order`. Unknown modules keep their place. */
export function inLoadOrder(plan: readonly PlanStep[], order: readonly string[]): PlanStep[] {
  const known = plan.filter((step) => step.step === 'load' && order.includes(step.module));
  const sorted = known.toSorted((a, b) => rank(a, order) - rank(b, order));
  return plan.map((step) => (known.includes(step) ? (sorted.shift() ?? step) : step));
}

function rank(step: PlanStep, order: readonly string[]): number {
  return step.step === 'load' ? order.indexOf(step.module) : -1;
}

/** `bootargs` with each name of `driver_async_probe=` as a word of its own. */
export function splitAsyncWords(bootargs: readonly string[]): string[] {
  return bootargs.flatMap((word) =>
    word.startsWith(DRIVER_ASYNC_PROBE) ? asyncNames(word).map((name) => DRIVER_ASYNC_PROBE + name) : [word],
  );
}

/** The opposite of `splitAsyncWords`: the kernel keeps only the last `driver_async_probe=`, so there is one. */
export function joinAsyncWords(bootargs: readonly string[]): string[] {
  return withAsyncDrivers(bootargs, []);
}

function asyncNames(word: string): string[] {
  return word
    .slice(DRIVER_ASYNC_PROBE.length)
    .split(',')
    .filter((name) => name !== '');
}

/** `bootargs` with every one of `drivers` in `driver_async_probe=`, beside those that are there. */
export function withAsyncDrivers(bootargs: readonly string[], drivers: readonly string[]): string[] {
  const given = bootargs.filter((word) => word.startsWith(DRIVER_ASYNC_PROBE));
  const all = [...new Set([...given.flatMap(asyncNames), ...drivers])];
  const others = bootargs.filter((word) => !word.startsWith(DRIVER_ASYNC_PROBE));
  return all.length === 0 ? others : [...others, DRIVER_ASYNC_PROBE + all.join(',')];
}

/** `plan` in which every load step of `modules` asks the module loader not to wait for its probes. */
export function withAsyncModules(plan: readonly PlanStep[], modules: readonly string[]): PlanStep[] {
  return plan.map((step) => {
    if (step.step !== 'load' || !modules.includes(step.module)) return step;
    const kept = words(step.params).filter((parameter) => !MODULE_ASYNC_PROBE.test(parameter));
    return { ...step, params: [...kept, 'async_probe=1'].join(' ') };
  });
}

/**
 * Added to the longest stillness that delays may cause, for the probes that follow: the guest must not settle before
 * a delayed probe is over.
 */
export const SETTLE_MARGIN_MS = 1000;

/** `plan` whose last settle step waits for at least `ms` without a change; one is added where there is none. */
export function settlingFor(plan: readonly PlanStep[], ms: number): PlanStep[] {
  const last = plan.findLastIndex((step) => step.step === 'settle');
  if (last === -1) return [...plan, { step: 'settle', ms }];
  return plan.map((step, at) =>
    at === last && step.step === 'settle' ? { ...step, ms: Math.max(step.ms, ms) } : step,
  );
}

/** A duration as the sentence of `bisect order` gives it: `1,840 ms`. */
export function milliseconds(ms: number): string {
  return `${ms.toLocaleString('en-US')} ms`;
}

/** The condition in words, as part of "needs: ..." . */
export function conditionText(one: Condition): string {
  switch (one.condition) {
    case 'tree':
      return editText(one.edit);
    case 'async':
      return `async ${one.driver}`;
    case 'bootarg':
      return `kernel parameter ${one.word}`;
    case 'gate':
      return gateText(one.gate);
    case 'module-parameter':
      return `module parameter ${one.module}.${one.parameter}`;
    case 'load-order':
      return `modules loaded in the order ${one.order.join(', ')}`;
    case 'step':
      return stepText(one.step);
    case 'cpus':
      return `${one.cpus} ${one.cpus === 1 ? 'processor' : 'processors'}`;
    case 'shift':
      return `interleaving of icount shift ${one.shift}`;
  }
}

function editText(edit: TreeEdit): string {
  switch (edit.edit) {
    case 'move':
      return `node ${edit.node} ${edit.to}${edit.parent === undefined ? '' : ` in ${edit.parent}`}`;
    case 'delete':
      return `node ${edit.node} deleted`;
    case 'disable':
      return `node ${edit.node} disabled`;
    case 'set':
      return `property ${edit.property} of ${edit.node} set`;
    case 'unset':
      return `property ${edit.property} of ${edit.node} removed`;
  }
}

function gateText(gate: Gate): string {
  if (isPlaceGate(gate)) {
    const at = placeText(gate.at);
    if (gate.gate === 'delay') return `delay of ${milliseconds(gate.ms)} at ${at}`;
    return gate.gate === 'hold' ? `${at} held until ${placeText(gate.until)}` : `${at} returning ${gate.value}`;
  }
  switch (gate.gate) {
    case 'delay':
      return `delay of ${milliseconds(gate.ms)} in the probe of ${gate.device}`;
    case 'hold': {
      const phase = gate.phase === 'entered' ? 'was entered' : 'has finished';
      return `the probe of ${gate.device} held until that of ${gate.until} ${phase}`;
    }
    case 'force':
      return `${gate.symbol}() returning ${gate.value}`;
  }
}

function stepText(step: PlanStep): string {
  switch (step.step) {
    case 'autoprobe':
      return `automatic probing ${step.on ? 'on' : 'off'}`;
    case 'probe':
      return `${step.device} probed by hand`;
    case 'bind':
      return `${step.device} bound to ${step.driver} by hand`;
    case 'unbind':
      return `${step.device} unbound from ${step.driver}`;
    case 'unload':
      return `module ${step.module} unloaded`;
    case 'beside':
      return `${step.steps} steps beside the others, by ${step.tasks} ${step.tasks === 1 ? 'task' : 'tasks'}`;
    case 'read':
      return `${step.path} read for ${milliseconds(step.ms)}`;
    case 'override':
      return step.driver === '' ? `${step.device} without driver_override` : `${step.device} kept for ${step.driver}`;
    case 'rescan':
      return `a rescan of the ${step.bus} bus`;
    case 'suspend':
      return `a suspend up to ${step.test}`;
    case 'answer':
      return `request_module() answered by loading ${step.module}`;
    case 'write':
      return `${step.value} written to ${step.path}`;
    default:
      return step.step;
  }
}
