/* SPDX-License-Identifier: Apache-2.0 */
/* The form of a message against a line: one pass, nothing is tried twice. */
#include <ctype.h>
#include <string.h>

#include "explain/match.h"

struct rest {
	const char *at;
	size_t len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void pass(struct rest *rest, size_t n)
{
	rest->at += n;
	rest->len -= n;
}

static void pass_blanks(struct rest *rest)
{
	while (rest->len > 0 && is_blank(rest->at[0]))
		pass(rest, 1);
}

static bool number(struct rest *rest, bool hexadecimal)
{
	size_t n = 0;

	if (hexadecimal && rest->len > 2 && rest->at[0] == '0' && rest->at[1] == 'x')
		pass(rest, 2);
	while (n < rest->len &&
	       (hexadecimal ? isxdigit((unsigned char)rest->at[n]) : isdigit((unsigned char)rest->at[n])))
		n++;
	pass(rest, n);
	return n > 0;
}

/* The number in front of end. */
static bool partition(const struct rest *digits, const char *end, unsigned *ret_number)
{
	*ret_number = 0;
	if (end - digits->at > 4)
		return false;
	for (const char *at = digits->at; at < end; at++)
		*ret_number = *ret_number * 10 + (unsigned)(*at - '0');
	return true;
}

/* 8-8-4-12 hexadecimal digits. */
static bool uuid(struct rest *rest, char ret_text[VK_EXPLAIN_UUID_BYTES])
{
	enum { LEN = VK_EXPLAIN_UUID_BYTES - 1 };

	if (rest->len < LEN || (rest->len > LEN && isxdigit((unsigned char)rest->at[LEN])))
		return false;
	for (size_t i = 0; i < LEN; i++) {
		const bool dash = i == 8 || i == 17 || i == 22;

		if (dash ? rest->at[i] != '-' : !isxdigit((unsigned char)rest->at[i]))
			return false;
		ret_text[i] = (char)tolower((unsigned char)rest->at[i]);
	}
	ret_text[LEN] = '\0';
	pass(rest, LEN);
	return true;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* The partition behind the last colon; the path in front is left out. */
static void split_device(char device[VK_EXPLAIN_DEVICE_BYTES], unsigned *ret_partition)
{
	const char *slash = strrchr(device, '/');
	char *colon, *digit;

	if (slash != NULL)
		memmove(device, slash + 1, strlen(slash + 1) + 1);
	*ret_partition = 0;
	colon = strrchr(device, ':');
	if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) > 3)
		return;
	for (digit = colon + 1; *digit != '\0'; digit++) {
		if (!isdigit((unsigned char)*digit))
			return;
		*ret_partition = *ret_partition * 10 + (unsigned)(*digit - '0');
	}
	*colon = '\0';
}

static bool is_device_name(const char *name)
{
	static const char *const kinds[] = {"naa.", "eui.", "t10.", "mpx.", "vml.", "vmhba", NULL};

	for (size_t i = 0; kinds[i] != NULL; i++)
		if (begins(name, kinds[i]) && name[strlen(kinds[i])] != '\0')
			return true;
	return false;
}

static bool device(struct rest *rest, struct vk_explain_subject *subject)
{
	char name[VK_EXPLAIN_DEVICE_BYTES];
	size_t n = 0, out = 0;

	while (n < rest->len && out < sizeof(name) - 1 &&
	       (isalnum((unsigned char)rest->at[n]) ||
		(rest->at[n] != '\0' && strchr("._:-+/\\", rest->at[n]) != NULL))) {
		/* the shell of a host needs \: for a colon */
		if (rest->at[n] != '\\')
			name[out++] = rest->at[n];
		n++;
	}
	/* the colon of the sentence */
	while (out > 0 && strchr(":.", name[out - 1]) != NULL) {
		out--;
		n--;
	}
	name[out] = '\0';
	split_device(name, &subject->partition);
	if (!is_device_name(name))
		return false;
	memcpy(subject->device, name, sizeof(name));
	pass(rest, n);
	return true;
}

/* How far the form goes literally from here. */
static size_t literal_length(const char *form)
{
	return strcspn(form, "% ");
}

/* Anything up to where the form goes on. */
static bool anything(struct rest *rest, const char *form, struct rest *ret_what)
{
	const size_t word = literal_length(form);
	size_t n = 0;

	*ret_what = *rest;
	if (form[0] == '\0' || begins(form, "%$")) {
		n = rest->len;
	} else {
		while (n < rest->len &&
		       (form[0] == ' ' ? !is_blank(rest->at[n])
				       : word == 0 || rest->len - n < word || memcmp(rest->at + n, form, word) != 0))
			n++;
		if (n == rest->len)
			return false;
	}
	ret_what->len = n;
	pass(rest, n);
	return true;
}

static bool name(struct rest *rest, const char *form, char ret_label[VK_EXPLAIN_LABEL_BYTES])
{
	struct rest what;

	if (!anything(rest, form, &what))
		return false;
	while (what.len > 0 && isspace((unsigned char)what.at[what.len - 1]))
		what.len--;
	if (what.len == 0 || what.len >= VK_EXPLAIN_LABEL_BYTES || memchr(what.at, '\0', what.len) != NULL)
		return false;
	memcpy(ret_label, what.at, what.len);
	ret_label[what.len] = '\0';
	return true;
}

static bool field(char kind, struct rest *rest, const char *form, struct vk_explain_subject *subject)
{
	struct rest what;

	switch (kind) {
	case 'n':
		return number(rest, false);
	case 'p':
		what = *rest;
		return number(rest, false) && partition(&what, rest->at, &subject->partition);
	case 'x':
		return number(rest, true);
	case 'u':
		return uuid(rest, subject->volume);
	case 'd':
		return device(rest, subject);
	case 'l':
		return name(rest, form, subject->label);
	case '*':
		return anything(rest, form, &what);
	default: /* '$' */
		while (rest->len > 0 && isspace((unsigned char)rest->at[0]))
			pass(rest, 1);
		return rest->len == 0;
	}
}

bool vk_explain_match(const char *form, const char *at, size_t len, struct vk_explain_subject *subject)
{
	struct rest rest = {at, len};

	while (*form != '\0') {
		const size_t word = literal_length(form);

		if (word > 0) {
			if (rest.len < word || memcmp(rest.at, form, word) != 0)
				return false;
			pass(&rest, word);
			form += word;
		} else if (*form == ' ') {
			if (rest.len == 0 || !is_blank(rest.at[0]))
				return false;
			pass_blanks(&rest);
			form++;
		} else {
			if (!field(form[1], &rest, form + 2, subject))
				return false;
			form += 2;
		}
	}
	return true;
}
