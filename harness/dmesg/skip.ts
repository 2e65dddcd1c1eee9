import type { CrashKind } from '../model/crash.ts';

/**
 * Functions that are not to blame for a crash they appear in: those that print the report, and helpers that only do
 * what their caller told them to. A report is titled by the first function that is in none of the lists which apply to
 * its kind. Names are from kernels 3.x to 6.19, without leading underscores and compiler suffixes; `*` stands for any
 * text.
 */

/** Printing, trapping and unwinding: between the mistake and the text in the log. Applies to every kind. */
const REPORTING = `
  dump_stack dump_stack_lvl dump_stack_print_info dump_backtrace* show_stack* show_trace* show_regs* unwind_backtrace
  walk_stackframe save_stack save_stack_trace* arch_stack_walk* stack_trace_save* stack_trace_consume* return_address
  kunwind_* unwind_next_frame unwind_frame
  panic vpanic nmi_panic* warn warn_printk warn_slowpath_* report_bug* bug_handler bug_brk_handler handle_bug fixup_bug
  is_valid_bugaddr do_unexpected_trap check_panic_on_warn oops_begin oops_end oops_enter oops_exit invalid_op
  die die_kernel_fault die_body die_addr arm64_notify_die arm_notify_die arm64_serror_panic do_kernel_fault do_mem_abort
  do_translation_fault do_page_fault do_bad_area do_alignment_fault do_tag_check_fault do_tag_recovery do_sp_pc_abort
  dequeue_task_idle do_sea do_serror do_undefinstr do_el1_undef do_el0_undef do_bti do_el1_bti do_el1_fpac do_debug_exception do_brk64
  do_el1_brk64 do_PrefetchAbort do_DataAbort* do_kernel_address_page_fault bad_area bad_area_nosemaphore
  bad_area_access_error brk_handler call_break_hook call_el1_break_hook early_brk64 el0_* el1_* el0t_* el1t_* el1h_*
  bug_brk* ret_to_user ret_to_kernel ret_fast_syscall bad_mode panic_bad_mode bad_stack handle_bad_stack panic_lockup
  panic_stack_overflow pabt_svc dabt_svc und_svc und_svc_fault und_svc_finish und_usr* irq_svc dabt_usr v6_early_abort
  v7_early_abort asm_exc_* asm_sysvec_* asm_common_*
  exc_* do_trap do_trap_* do_error_trap do_invalid_op do_general_protection do_double_fault do_user_addr_fault
  do_kern_addr_fault do_divide_error do_int3* do_async_page_fault do_stack_segment do_nmi trace_do_page_fault error_entry
  error_return error_exit error_code no_context page_fault page_fault_oops async_page_fault double_fault
  general_protection divide_error invalid_opcode stack_segment kernelmode_fixup_or_oops nmi end_repeat_nmi
  nmi_handle nmi_cpu_backtrace* nmi_trigger* default_do_nmi retint_* ret_from_exception common_exception
  handle_exception* handle_page_fault gp_exception_table*
  program_check_exception program_check_common* data_access_common* do_bad_* tlb_do_page_fault_* do_bp handle_bp_int
  pgm_check_handler do_pgm_check
  kasan_* asan_* hwasan_* check_memory_region* memory_is_poisoned* memory_is_nonzero* bytes_is_nonzero print_report
  print_address_description* print_error_description print_memory_metadata print_shadow_for_address describe_object*
  describe_address* print_trailer print_section* end_report start_report addr_has_metadata kfence_report_error kfence_handle_page_fault
  kfence_print_* check_canary* kmsan_* msan_* tsan_* kcsan_* csan_* sanitizer_* ubsan_* handle_overflow val_to_string
  fortify_* stack_chk_fail* read_word_at_a_time read_once_size* write_once_size* read_once_word_nocheck
  lockdep_* lock_acquire* lock_release* lock_acquired lock_contended lock_is_held* lock_class* lock_set_* lock_pin_*
  lock_unpin_* lock_downgrade lock_commit_* reacquire_held_locks find_lock_lowest* register_lock_class assign_lock_key
  add_lock* add_chain_* check_prev_add* check_prevs_add* check_deadlock* check_noncircular* check_irq_usage*
  check_usage* check_wait_context* check_unlock* check_chain_key* validate_chain* valid_state mark_lock* mark_held_locks
  mark_irqflags mark_usage debug_check_no_locks_* match_held_lock hlock_class look_up_lock_class save_trace check_flags
  print_unlock_imbalance_bug print_lock_* print_usage_bug* print_deadlock_bug print_circular_bug* print_bad_irq_dependency
  print_irq_inversion_bug print_freed_lock_bug print_held_locks_bug trace_hardirqs_on* trace_hardirqs_off*
  might_sleep* might_resched* might_fault* schedule_bug cant_sleep cant_migrate check_preemption_disabled
  debug_smp_processor_id this_cpu_preempt_check preempt_schedule* preempt_count_* rcu_note_context_switch
  rcu_read_unlock_special cond_resched* cond_resched
  printk vprintk printk_* vprintk_* console_unlock console_lock console_flush_* console_trylock console_emit_*
  dev_printk* dev_vprintk_emit dev_emerg dev_alert dev_crit dev_err dev_warn dev_notice dev_info snprintf vsnprintf
  sprintf vsprintf scnprintf vscnprintf format_decode pointer string string_nocheck kasprintf kvasprintf*
`;

/** Copying, comparing and clearing memory: whoever passed the pointer is to blame. */
const MEMORY_HELPERS = `
  memcpy* memmove* memset* memcmp* memchr* memscan* pi_mem* pi_str* arch_mem* strcpy* strncpy* strcmp* strncmp* strlen*
  strnlen* strchr* strrchr* strnchr* strcasecmp* strncasecmp* strcat* strncat* strlcpy* strlcat* strscpy* sized_strscpy*
  strsep* strspn* strcspn strpbrk* strstr* strnstr* strim* strchrnul* skip_spaces
  copy_to_user* copy_from_user* copy_in_user* copy_user* clear_user* arch_copy_to_user* arch_copy_from_user*
  arch_clear_user* asm_copy_to_user* asm_copy_from_user* raw_copy_to_user* raw_copy_from_user* arm_copy_from_user*
  arm_copy_to_user* get_user* put_user* copy_page* clear_page* copy_highpage clear_huge_page rep_movs_alternative
  rep_stos_alternative copy_to_kernel_nofault* copy_from_kernel_nofault* probe_kernel_* csum_partial*
  arm_smccc_smc arm_smccc_hvc arm_smccc_1_1_* arm_smccc_1_2_* raw_readb raw_readw raw_readl raw_readq raw_writeb raw_writew raw_writel raw_writeq readb readw readl readq writeb
  writew writel writeq readl_relaxed writel_relaxed raw_readsl raw_writesl ioread8 ioread16 ioread32 iowrite8 iowrite16
  iowrite32
`;

/** Bit operations, atomics and reference counts, where they are not inlined; calls through thunks and tracers. */
const ATOMIC_HELPERS = `
  set_bit clear_bit change_bit test_bit test_and_set_bit* test_and_clear_bit* test_and_change_bit* set_bit_* clear_bit_*
  find_next_bit* find_first_bit* find_last_bit* find_next_zero_bit* find_first_zero_bit* find_next_and_bit* ll_sc_* lse_*
  arch_atomic* atomic_* atomic64_* atomic_long_* raw_atomic* cmpxchg* xchg* arch_test_* arch_set_bit* arch_clear_bit*
  instrument_* refcount_* ex_handler_refcount kref_get kref_put* kref_init kref_read
  x86_indirect_* x86_return_* indirect_thunk* srso_* ftrace_caller ftrace_regs_caller ftrace_regs_call ftrace_call
  ftrace_graph_caller mcount* fentry__
`;

/** Locks and wake-ups: whoever passed a bad lock, or waited for one, is named instead. */
const LOCK_HELPERS = `
  raw_spin_* spin_lock* spin_unlock* spin_trylock* spin_dump spin_bug raw_read_* raw_write_* read_lock* read_unlock*
  write_lock* write_unlock* do_raw_* arch_spin_* arch_read_* arch_write_* queued_spin_* queued_read_* queued_write_*
  native_queued_* pv_queued_* kvm_wait rwlock_bug debug_spin_* ticket_spin_* osq_lock osq_unlock mcs_* bit_spin_*
  resilient_*
  mutex_lock* mutex_unlock* mutex_trylock* mutex_remove_waiter mutex_optimistic_spin* mutex_spin_on_owner
  mutex_add_waiter ww_mutex_* rt_mutex_* rt_spin_* rt_read_* rt_write_* rtlock_* debug_mutex_* atomic_dec_and_mutex_lock
  refcount_dec_and_mutex_lock refcount_dec_and_lock* rtmutex_*
  down down_read* down_write* down_interruptible down_killable down_timeout down_trylock down_common up up_read* up_write*
  rwsem_* call_rwsem_* percpu_down_* percpu_up_* percpu_rwsem_* rwbase_*
  wake_up* try_to_wake_up default_wake_function autoremove_wake_function swake_up* complete complete_all
  complete_with_flags prepare_to_wait* prepare_to_swait* finish_wait finish_swait add_wait_queue* remove_wait_queue
  init_waitqueue* local_lock* local_unlock* local_bh_enable* local_bh_disable* seqprop_*
`;

const LIST_HELPERS = `
  list_add* list_del* list_replace* list_move* list_splice* list_cut* list_swap* list_empty* hlist_* plist_* llist_*
`;

/** Allocators: a leak, a bad free, a warning about the size or the context of an allocation belong to the caller. */
const ALLOCATORS = `
  kmalloc* kzalloc* kcalloc* krealloc* kvmalloc* kvzalloc* kvcalloc* kvrealloc* vmalloc* vzalloc* vcalloc kmem_* do_kmalloc*
  devm_kmalloc* devm_kzalloc* devm_kcalloc* pcpu_alloc* alloc_percpu* free_percpu kfree* kvfree* vfree* vunmap* slab_*
  slub_* new_slab* allocate_slab free_slab discard_slab setup_object* check_slab check_object check_bytes_and_report
  check_pad* object_err free_debug_processing alloc_debug_processing free_to_partial_list on_freelist cache_alloc*
  cache_free* cache_grow* do_slab_free create_object kmemleak_* mempool_* alloc_page alloc_pages* alloc_frozen_pages*
  alloc_skb* alloc_large_* get_free_page* get_zeroed_page free_page free_pages* free_unref_* free_frozen_pages*
  free_pcp_* free_the_page free_compound_page put_compound_page free_one_page free_hot_cold_page* free_pcppages_bulk get_page_from_freelist prep_new_page post_alloc_hook
  warn_alloc* folio_alloc* page_frag_* bad_page check_free_page* check_new_page* free_page_is_bad* dump_page rmqueue*
  memdup_user* kmemdup* kstrdup* kstrndup* vmemdup_* qlist_* qlink_* rcu_free_slab
`;

/** Moving the ends of a packet: skb_panic() is about the length that the caller asked for. */
const BUFFER_HELPERS = 'skb_panic skb_over_panic skb_under_panic skb_put skb_push skb_pull';

/** Debug checks of objects, and their users: timers, work items, kobjects. */
const OBJECT_DEBUG = `
  debug_print_object debug_object_* debug_check_no_obj_freed debug_timer_* debug_work_* debug_rcu_* debug_hrtimer_*
  debug_percpu_* debug_objects_* debug_deactivate debug_activate debug_assert_init timer_is_static_object
  work_is_static_object hrtimer_fixup_* timer_fixup_* work_fixup_*
`;
const OBJECT_USERS = `
  timer_* hrtimer_* work_* percpu_counter_* init_timer* mod_timer* del_timer* add_timer* try_to_del_timer* queue_work*
  queue_delayed_work* init_work init_rcu_head* call_rcu* cancel_work* cancel_delayed_work* flush_work* kobject_*
`;
const KOBJECTS = 'kobject_* kset_* refcount_* kref_*';
const PROC_REGISTRATION = 'proc_register proc_create* proc_mkdir* proc_symlink proc_net_*';
const USERCOPY = 'usercopy_* check_object_size check_heap_object check_stack_object check_page_span';

/** Waiting: between what waits and the idle CPU. */
const WAITING = `
  switch_to switch_to_asm context_switch schedule schedule_* io_schedule* freezable_schedule* preempt_schedule*
  wait_for_* do_wait_for_common wait_woken wait_on_* bit_wait* out_of_line_wait_* wait_rcu_gp* synchronize_*
  rcu_barrier*   flush_work* flush_delayed_work
  flush_workqueue* cancel_work_sync cancel_delayed_work_sync cancel_work_timer drain_workqueue kthread_stop kthread_park
  kthread_flush_* folio_wait_* folio_lock* lock_page* lock_buffer sleep_on_* msleep* usleep_range* do_nanosleep
  hrtimer_nanosleep ktime_get* inode_lock* futex_wait_queue* swait_* completion_*
`;

/** Interrupt entry, timers and the stall detectors themselves: what looked at the stalled CPU, not what it was doing. */
const STALL_DETECTION = `
  rcu_check_* rcu_sched_clock_irq rcu_dump_* rcu_stall_* rcu_pending rcu_preempt_* rcu_gp_* rcu_exp_* rcu_report_*
  print_cpu_stall* print_other_cpu_stall* check_cpu_stall* sched_show_task show_task dump_cpu_task
  synchronize_rcu_expedited_wait* update_process_times tick_* hrtimer_run_queues* hrtimer_interrupt hrtimer_run_*
  run_hrtimer* watchdog_* is_softlockup perf_event_overflow perf_event_nmi_handler x86_pmu_* intel_pmu_* armv8pmu_*
  arch_timer_* riscv_timer_interrupt timer_interrupt apic_timer_interrupt sysvec_* smp_apic_* local_apic_* handle_percpu_*
  handle_domain_irq handle_irq* handle_fasteoi_* handle_level_irq handle_edge_irq handle_arch_irq handle_IPI
  generic_handle_* gic_handle_* gic_irq* do_interrupt_handler call_on_irq_stack do_softirq* irq_enter* irq_exit*
  invoke_softirq do_IRQ do_irq common_interrupt ret_from_intr irqentry_* handle_riscv_irq riscv_intc_irq
  arch_trigger_* trigger_*
  smp_call_function* csd_lock* on_each_cpu* flush_smp_call_function* smp_call_* smp_text_poke* finish_task_switch*
  finish_lock_switch local_irq_* arch_local_irq_* raw_local_irq_* cpu_relax delay udelay const_udelay ndelay loop_delay
  delay_tsc delay_loop timer_delay ktime_get* arch_counter_* sched_clock* read_tsc read_hpet switch_to switch_to_asm
`;

/** lockdep-RCU: the accessor is where the check sits; its caller lacks the lock. */
const RCU_ACCESSORS = 'rcu_* lockdep_rcu_*';

function matcher(...lists: readonly string[]): RegExp {
  const words = lists.flatMap((list) => list.split(/\s+/)).filter((word) => word !== '');
  return new RegExp(`^(?:${words.map((word) => word.replaceAll('*', '\\w*')).join('|')})$`);
}

const FAULT = matcher(REPORTING, MEMORY_HELPERS, ATOMIC_HELPERS, LOCK_HELPERS, LIST_HELPERS);
const CHECK = matcher(
  REPORTING,
  MEMORY_HELPERS,
  ATOMIC_HELPERS,
  LOCK_HELPERS,
  LIST_HELPERS,
  OBJECT_DEBUG,
  BUFFER_HELPERS,
);
const FREE = matcher(REPORTING, MEMORY_HELPERS, ATOMIC_HELPERS, LOCK_HELPERS, LIST_HELPERS, ALLOCATORS);
const STALL = matcher(REPORTING, ATOMIC_HELPERS, LOCK_HELPERS, STALL_DETECTION);

/** Reports that need lists of their own, whatever their kind; named by the rule that recognises the header. */
export type BlameRule =
  | 'odebug'
  | 'kobject'
  | 'proc'
  | 'usercopy'
  | 'allocation'
  | 'refcount'
  | 'rcu-usage'
  /** The header or the text around it names the function, if anything does; the trace is not looked at. */
  | 'header';

const BY_RULE: Readonly<{ [rule in Exclude<BlameRule, 'header'>]: RegExp }> = {
  odebug: matcher(REPORTING, MEMORY_HELPERS, LOCK_HELPERS, OBJECT_DEBUG, OBJECT_USERS, ALLOCATORS),
  kobject: matcher(REPORTING, MEMORY_HELPERS, ATOMIC_HELPERS, LOCK_HELPERS, LIST_HELPERS, KOBJECTS),
  proc: matcher(REPORTING, PROC_REGISTRATION),
  usercopy: matcher(REPORTING, MEMORY_HELPERS, USERCOPY),
  allocation: FREE,
  refcount: matcher(REPORTING, ATOMIC_HELPERS, LOCK_HELPERS, LIST_HELPERS, KOBJECTS),
  'rcu-usage': matcher(REPORTING, LOCK_HELPERS, RCU_ACCESSORS),
};

const BY_KIND: Readonly<{ [kind in CrashKind]: RegExp }> = {
  'null-deref': FAULT,
  'paging-request': FAULT,
  oops: FAULT,
  bug: CHECK,
  warning: CHECK,
  kasan: FAULT,
  ubsan: FAULT,
  kfence: FAULT,
  kcsan: FAULT,
  lockdep: FAULT,
  'rcu-stall': STALL,
  'hung-task': matcher(REPORTING, LOCK_HELPERS, WAITING),
  'soft-lockup': STALL,
  'hard-lockup': STALL,
  'workqueue-lockup': STALL,
  serror: FAULT,
  exception: FAULT,
  panic: CHECK,
  oom: FREE,
  'stack-overflow': FAULT,
  'sleeping-in-atomic': matcher(
    REPORTING,
    MEMORY_HELPERS,
    ATOMIC_HELPERS,
    LOCK_HELPERS,
    LIST_HELPERS,
    ALLOCATORS,
    WAITING,
  ),
  refcount: CHECK,
  memleak: matcher(REPORTING, MEMORY_HELPERS, ALLOCATORS),
  other: CHECK,
};

/** True when `name` (without compiler suffixes) is not to be blamed for a report of this kind. */
export function isSkipped(name: string, kind: CrashKind, rule: BlameRule | null): boolean {
  const lists = rule === null || rule === 'header' ? BY_KIND[kind] : BY_RULE[rule];
  return lists.test(name.replace(/^_+/, ''));
}
