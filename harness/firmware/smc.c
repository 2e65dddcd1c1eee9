/*
 * Secure monitor calls of EL1: Qualcomm SCM calls are answered here, PSCI goes on to QEMU.
 *
 * Function identifiers are SMCCC fast calls (DEN 0028): owner 2 is the silicon provider (SiP), and Qualcomm puts
 * service << 8 | command into the low half (drivers/firmware/qcom_scm.h, qcom_scm-smc.c, SCM_SMC_FNID).
 */
#include "board.h"

#define OWNER(fn)		(((fn) >> 24) & 0x3f)
#define OWNER_SIP		2
#define OWNER_TRUSTED_OS	50	/* and all above (DEN 0028, SMC function identifiers) */
#define SCM_CALL(fn)		((fn) & 0xffff)
#define SCM(svc, cmd)		((svc) << 8 | (cmd))
#define SMCCC_VERSION		0x80000000u
#define SMCCC_1_2		0x10002u
#define SMC_UNKNOWN		(~0ul)		/* SMCCC NOT_SUPPORTED, -1 */

/* More of PSCI 1.1 (DEN 0022) */
#define PSCI_CPU_ON_32		0x84000003u
#define PSCI_AFFINITY_INFO_32	0x84000004u
#define PSCI_AFFINITY_INFO_64	0xc4000004u
#define PSCI_SYSTEM_RESET	0x84000009u
#define PSCI_FEATURES		0x8400000au
#define PSCI_SET_SUSPEND_MODE	0x8400000fu
#define PSCI_PLATFORM_COORDINATED	0ul
#define PSCI_CPU_SUSPEND_32	0x84000001u
#define PSCI_CPU_SUSPEND_64	0xc4000001u
#define PSCI_STATE_REFUSED	0xfffe0000u
#define PSCI_CPU_OFF		0x84000002u

struct scm_answer {
	u32 call;
	u64 x0, x1;
};

/* What the firmware of a phone would answer, as far as probing drivers ask (names of qcom_scm.h). */
static const struct scm_answer answers[] = {
	{ SCM(0x15, 0x03), 0, 0 },	/* SMMU_PROGRAM, SMMU_CONFIG_ERRATA1: wait-for-safe */
	{ SCM(0x02, 0x07), 0, 1 },	/* PIL, PAS_IS_SUPPORTED */
	{ SCM(0x0c, 0x16), 0, 0 },	/* MP, ASSIGN: memory to another virtual machine */
};

static const struct scm_answer *find(u64 call)
{
	for (u32 i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].call == SCM_CALL(call))
			return &answers[i];
	return 0;
}

#define INFO_IS_CALL_AVAIL	SCM(0x06, 0x01)

static void handle_scm(struct frame *f)
{
	const struct scm_answer *answer;

	if (SCM_CALL(f->x[0]) == INFO_IS_CALL_AVAIL) {
		/* x2 holds the function asked about; the first question is about this call itself (the convention). */
		u64 asked = f->x[2];

		f->x[0] = 0;
		f->x[1] = SCM_CALL(asked) == INFO_IS_CALL_AVAIL || find(asked) ? 1 : 0;
		f->x[2] = f->x[3] = 0;
		return;
	}
	answer = find(f->x[0]);
	if (!answer) {
		f->x[0] = SMC_UNKNOWN;
		return;
	}
	f->x[0] = answer->x0;
	f->x[1] = answer->x1;
	f->x[2] = f->x[3] = 0;
}

static int is_qualcomm_call(u64 call)
{
	return board->convention == CONVENTION_QUALCOMM && OWNER(call) == OWNER_SIP;
}

/*
 * The maker's calls of a board, and those of its trusted OS: a list (MonitorAnswer in board/board-plan.ts). Returns 0
 * where there is no answer. Of Qualcomm's calls the upper half is not compared.
 */
static const struct answer *board_answer(u64 call, const u64 *arguments)
{
	for (const struct answer *answer = monitor_answers; answer < monitor_answers + board->answer_count; answer++)
		if (answer->call == (is_qualcomm_call(call) ? SCM_CALL(call) : (u32)call) &&
		    (arguments[0] & answer->masks[0]) == answer->asked[0] &&
		    (arguments[1] & answer->masks[1]) == answer->asked[1])
			return answer;
	return 0;
}

/* Whether a device model answered a call. */
static int behaviour_answers(u32 call)
{
	for (u64 i = 0; i < board->placed_count; i++) {
		const struct behaviour *behaviour = behaviour_of(&behaviours[i]);

		if (behaviour->call && (u32)behaviours[i].parameter[0] == call) {
			behaviour->call(&behaviours[i]);
			return 1;
		}
	}
	return 0;
}

static void handle_board_call(struct frame *f)
{
	GUEST_STATE static u32 seen[64], count;
	const struct answer *answer = board_answer(f->x[0], &f->x[1]);
	u32 call = f->x[0], i = 0;
	int asks = is_qualcomm_call(call) && SCM_CALL(call) == INFO_IS_CALL_AVAIL;

	if (behaviour_answers(call)) {
		f->x[0] = 0;
		return;
	}
	while (i < count && seen[i] != call)
		i++;
	if (i == count && count < sizeof(seen) / sizeof(seen[0])) {
		seen[count++] = call;
		say("monitor-call ");
		say_hex(call);
		say(answer || asks ? " answered\n" : " unknown\n");
	}
	if (asks) {
		u64 asked = f->x[2];

		f->x[0] = 0;
		f->x[1] = SCM_CALL(asked) == INFO_IS_CALL_AVAIL || board_answer(asked, &f->x[3]) ? 1 : 0;
		f->x[2] = f->x[3] = 0;
		return;
	}
	for (i = 0; i < 4; i++)
		f->x[i] = answer ? answer->values[i] : i == 0 ? SMC_UNKNOWN : 0;
}

/*
 * The version of the calling convention, without which the kernel makes no call of its own (smccc.c), and how the CPUs
 * of a board suspend: QEMU's PSCI knows nothing of either. Returns whether the call was one of these.
 */
static int board_psci_call(struct frame *f)
{
	u32 fn = f->x[0], asked = f->x[1];
	int asks_for_mode = fn == PSCI_FEATURES && asked == PSCI_SET_SUSPEND_MODE;

	if (fn == SMCCC_VERSION || (fn == PSCI_FEATURES && asked == SMCCC_VERSION)) {
		f->x[0] = fn == SMCCC_VERSION ? SMCCC_1_2 : 0;
		return 1;
	}
	if (board->suspend_features && (fn == PSCI_SET_SUSPEND_MODE || asks_for_mode)) {
		f->x[0] = 0;
		return 1;
	}
	if (fn == PSCI_FEATURES && asked == PSCI_CPU_SUSPEND_64) {
		f->x[0] = board->suspend_features;
		return 1;
	}
	return 0;
}

void handle_smc(struct frame *f)
{
	u32 fn = f->x[0];

	if (board && (OWNER(fn) == OWNER_SIP || OWNER(fn) >= OWNER_TRUSTED_OS)) {
		handle_board_call(f);
		return;
	}
	if (OWNER(fn) == OWNER_SIP) {
		handle_scm(f);
		return;
	}
	if (board && board_psci_call(f))
		return;
	/* The mode that there is anyway, of which QEMU's PSCI knows nothing: cpuidle-psci-domain.c fails without it. */
	if (fn == PSCI_SET_SUSPEND_MODE && f->x[1] == PSCI_PLATFORM_COORDINATED) {
		f->x[0] = 0;
		return;
	}
	if (fn == PSCI_SYSTEM_OFF || fn == PSCI_SYSTEM_RESET) {
		end_of_guest(f);
		return;
	}
	if (fn == PSCI_CPU_ON_32 || fn == PSCI_CPU_ON_64) {
		/* What is kept is the state of one CPU. */
		f->x[0] = snapshot_taken() ? PSCI_INVALID_PARAMETERS : cpu_start(cpu_of(f->x[1]), f->x[2], f->x[3]);
		return;
	}
	/* QEMU waits for an interrupt in the states that it accepts (target/arm/psci.c, arm_handle_psci_call()). */
	if (cpus_are_several() && (fn == PSCI_CPU_SUSPEND_32 || fn == PSCI_CPU_SUSPEND_64) &&
	    !(f->x[1] & PSCI_STATE_REFUSED)) {
		cpus_wait(f);
		f->x[0] = 0;
		return;
	}
	if (fn == PSCI_CPU_OFF)
		cpus_off(f->time);
	if (fn == PSCI_AFFINITY_INFO_32 || fn == PSCI_AFFINITY_INFO_64)
		f->x[1] = cpu_of(f->x[1]);
	smc(f);
}
