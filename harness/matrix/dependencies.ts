import type { PlanStep } from '../model/plan.ts';

/**
 * A plan with the modules added that its modules need and that it does not load itself, each just before the first one
 * that needs it: in Linux 6.12 qcom_scm needs qcom_tzmem (drivers/firmware/qcom/Kconfig). A module that the plan loads
 * later is left where it is: that order may be what the cell is about.
 *
 * @param modules the kernel's modules by name with the names they depend on
 */
export function withDependencies(
  plan: readonly PlanStep[],
  modules: ReadonlyMap<string, { readonly depends: readonly string[] }>,
): PlanStep[] {
  const loaded = new Set(plan.flatMap((step) => (step.step === 'load' ? [step.module] : [])));
  const result: PlanStep[] = [];
  const addDependencies = (module: string) => {
    for (const needed of modules.get(module)?.depends ?? []) {
      if (loaded.has(needed)) continue;
      loaded.add(needed);
      addDependencies(needed);
      result.push({ step: 'load', module: needed, params: '' });
    }
  };
  for (let at = 0; at < plan.length; at++) {
    const step = plan[at];
    if (step === undefined) break;
    // What steps that run beside others need is loaded before any of them is started.
    const block = step.step === 'beside' ? plan.slice(at, at + 1 + step.steps) : [step];
    for (const one of block) if (one.step === 'load' || one.step === 'answer') addDependencies(one.module);
    result.push(...block);
    at += block.length - 1;
  }
  return result;
}
