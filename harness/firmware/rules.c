/* Registers that a rule answers for (RegisterRule in board/board-plan.ts). */
#include "board.h"

/* Whether a rule is about the register at an address; if so, where its target is. */
static int applies(const struct rule *rule, u64 address, u64 *to)
{
	u64 distance = address - rule->at, n;

	if (distance && !rule->stride)
		return 0;
	n = distance ? distance / rule->stride : 0;
	if (n >= rule->count || n * rule->stride != distance)
		return 0;
	*to = rule->to + n * rule->to_stride;
	return 1;
}

static void change(u64 address, u32 set, u32 clear)
{
	register_set(address, (register_get(address) | set) & ~clear);
}

static u32 counter(const struct rule *rule)
{
	u64 ticks = SYSREG_READ("cntpct_el0") - SYSREG_READ("cntvoff_el2");
	u64 hertz = SYSREG_READ("cntfrq_el0");
	u64 value = ticks / hertz * rule->operand[0] + ticks % hertz * rule->operand[0] / hertz;

	return rule->operand[1] ? value >> 32 : value;
}

/* What a register says when it is read; sets *answered where that is what its model wants. */
u32 rules_read(const struct shadow *shadow, u64 address, u32 value, int *answered)
{
	for (u32 i = 0; i < shadow->rules; i++) {
		const struct rule *rule = &rules[shadow->first_rule + i];
		u32 bit;
		u64 to;

		if (!applies(rule, address, &to))
			continue;
		switch (rule->kind) {
		case RULE_FOLLOWS:
			bit = (register_get(to) >> rule->operand[1] & 1) ^ rule->operand[2];
			value = (value & ~(1u << rule->operand[0])) | bit << rule->operand[0];
			break;
		case RULE_COUNTER:
			value = counter(rule);
			break;
		case RULE_PLAIN:
		case RULE_ON_READ:
		case RULE_LINE:
			break;
		default:
			continue;
		}
		*answered = 1;
	}
	return value;
}

void rules_after_read(const struct shadow *shadow, u64 address)
{
	for (u32 i = 0; i < shadow->rules; i++) {
		const struct rule *rule = &rules[shadow->first_rule + i];
		u64 to;

		if (rule->kind == RULE_ON_READ && applies(rule, address, &to)) {
			change(to, rule->operand[0], rule->operand[1]);
			rules_lines(shadow);
		}
	}
}

/*
 * The upper half says which bits of the lower half are written, and is none of the register itself. Where some of the
 * registers are not so (the fractional dividers among clocks use all 32 bits), lower bits beside the mask tell them.
 */
static u32 masked_write(u32 old, u32 value, int some_are_whole)
{
	u32 mask = value >> 16;

	return some_are_whole && (value & 0xffff & ~mask) ? value : (old & 0xffff & ~mask) | (value & mask);
}

/* What a register holds when `value` was written where `mask` has ones and others keep what is in `old`. */
u32 rules_write(const struct shadow *shadow, u64 address, u32 old, u32 value, u32 mask)
{
	u32 written = value & mask;

	value = (old & ~mask) | written;
	for (u32 i = 0; i < shadow->rules; i++) {
		const struct rule *rule = &rules[shadow->first_rule + i];
		u64 to;

		if (!applies(rule, address, &to))
			continue;
		switch (rule->kind) {
		case RULE_READ_ONLY:
			value = (value & ~rule->operand[0]) | (old & rule->operand[0]);
			break;
		case RULE_WRITE_ONE_CLEARS:
			value = (value & ~rule->operand[0]) | (old & ~written & rule->operand[0]);
			break;
		case RULE_SELF_CLEARING:
			value &= ~rule->operand[0];
			break;
		case RULE_ON_WRITE:
			if ((written & rule->operand[0]) != rule->operand[1])
				break;
			if (to == address)
				value = (value | rule->operand[2]) & ~rule->operand[3];
			else if (to)
				change(to, rule->operand[2], rule->operand[3]);
			if (rule->interrupt != NO_INTERRUPT)
				vgic_raise(rule->interrupt);
			break;
		case RULE_HIGH_MASK:
			value = masked_write(old, value, rule->operand[0]);
			break;
		case RULE_SETS:
			change(to, written, 0);
			break;
		case RULE_CLEARS:
			change(to, 0, written);
			break;
		}
	}
	return value;
}

/* Interrupts of this page's status registers, after something has changed. */
void rules_lines(const struct shadow *shadow)
{
	for (u32 i = 0; i < shadow->rules; i++) {
		const struct rule *rule = &rules[shadow->first_rule + i];

		if (rule->kind == RULE_LINE)
			vgic_line(rule->operand[0], (register_get(rule->at) & register_get(rule->to)) != 0);
	}
}
