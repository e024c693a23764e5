# SPDX-License-Identifier: Apache-2.0
# What doctor and find print as next steps is run as it stands. To be sourced behind lib.sh.
#
#   next_steps NAME FILE STORE [OPTS]   every command that doctor (with OPTS) and find point to runs: no usage error, no fault,
#                                       and what is offered as a repair has something to do, and says how to do it
#   walk NAME FILE STORE [OPTS]         from doctor to healed: what is printed is typed, step by step, until doctor offers no
#                                       repair any more; its last answer is in walked.json, the steps in walked.txt

mkdir -p "$TMP/steps"
ln -sf "$VMFSKIT" "$TMP/steps/vmfskit"
# paste COMMAND: as a person does it
paste_it() { PATH=$TMP/steps:$PATH bash -c "$1"; }

# what a repair prints that says how to carry it out; empty: nothing
printed_command() { sed -n '/^nothing was written; to do this:$\|^first do what the guards say; /{n;s/^  //p;q}' "$1"; }

# step NAME COMMAND: run one, and judge it
step() {
	local name=$1 line=$2 why=
	# what gives access to an array or a pool needs its driver, and a device
	case $line in "vmfskit "*) ;; *) return ;; esac
	run paste_it "$line"
	case $line:$CODE in
	*:2 | *:5) why="exit code $CODE" ;;
	*" repair "*:[013] | *" restore "*:[03])
		if grep -qE '^nothing to (repair|change)|nothing to do' "$OUT"; then
			why="it does nothing"
		elif [ -z "$(printed_command "$OUT")" ]; then
			why="it is refused, and nothing says how to go on"
		fi
		;;
	*" repair "* | *" restore "*) why="exit code $CODE" ;;
	*" capture "*:[01] | *" find "*:[01] | *" decode "*:[01] | *" doctor "*:[01] | *" verify "*:[01] | *" diff "*:[01] | *" undo "*:0 | *" wipe "*:[03]) ;;
	*) why="exit code $CODE" ;;
	esac
	if insane || [ -n "$why" ]; then
		fail "$name: $line" "${why:-a sanitizer}"
		explain "$line"
		return 1
	fi
	pass "$name: $line"
}

doctor_next() { jq -r '.sources[0].next[].command | values' "$1"; }

next_steps() {
	local name=$1 file=$2 store=$3 line
	shift 3
	"$VMFSKIT" doctor --heartbeat-wait 0 --store "$store" --json "$@" "$file" >"$TMP/steps/doctor.json" 2>"$TMP/steps/doctor.err"
	CODE=$?
	case $CODE in 0 | 1 | 4) ;; *) fail "$name: doctor" "exit code $CODE: $(cat "$TMP/steps/doctor.err")"; return ;; esac
	"$VMFSKIT" find --store "$store" --json "$file" >"$TMP/steps/find.json" 2>"$TMP/steps/find.err"
	CODE=$?
	case $CODE in 0 | 1 | 4) ;; *) fail "$name: find" "exit code $CODE: $(cat "$TMP/steps/find.err")"; return ;; esac
	while read -r line; do
		step "$name, find says" "$line"
	done < <(jq -r '.next[]?' "$TMP/steps/find.json")
	while read -r line; do
		step "$name, doctor says" "$line"
	done < <(doctor_next "$TMP/steps/doctor.json")
}

walk() {
	local name=$1 file=$2 store=$3 line write round
	shift 3
	: >walked.txt
	for round in 1 2 3 4 5 6; do
		"$VMFSKIT" doctor --heartbeat-wait 0 --store "$store" --json "$@" "$file" >walked.json
		write=
		while read -r line; do
			echo "$line" >>walked.txt
			step "$name, step $round" "$line" || return
			case $line in *" repair "* | *" restore "*) write=$(printed_command "$OUT") ;; esac
			# one write changes what the others are about
			[ -z "$write" ] || break
		done < <(doctor_next walked.json)
		if [ -z "$write" ]; then
			"$VMFSKIT" doctor --heartbeat-wait 0 --store "$store" --json "$@" "$file" >walked.json
			return
		fi
		echo "$write" >>walked.txt
		ok "$name, step $round: $write" paste_it "$write"
		has "$name, step $round: it is written" "$OUT" '^written, flushed and read back$'
	done
	fail "$name: it has no end" "$(cat walked.txt)"
}
